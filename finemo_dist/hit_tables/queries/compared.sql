-- Question: what of the hits of the view piece does the rule of catalog/queries/collapse.sql compare?
-- Contract: chr and the columns that the rule names, of hits that start within the variable starts, from
-- its field low to its field high; in the order of the view. With the score in the place of the
-- similarity where the variable is_scored says so.
SELECT
    chr, start, "end", start_untrimmed, motif_name, strand, peak_id, hit_coefficient,
    hit_coefficient_global, "row",
    CASE
        WHEN getvariable('is_scored')
        THEN sqrt(hit_coefficient::DOUBLE * hit_coefficient_global::DOUBLE)::FLOAT
        ELSE hit_similarity
    END AS hit_similarity
FROM piece
WHERE start BETWEEN getvariable('starts').low AND getvariable('starts').high;
