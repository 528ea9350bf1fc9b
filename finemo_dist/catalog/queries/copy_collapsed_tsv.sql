-- Question: the hits of the table piece as lines of finemo's hits.tsv, with is_primary.
-- Contract: writes $path, no header; is_primary is 0 where the table beaten has the row, else 1. In
-- the order of piece. Null is NA; names are written as they are.
COPY (
    SELECT
        chr, start, "end", start_untrimmed, end_untrimmed, motif_name, hit_coefficient,
        hit_coefficient_global, hit_similarity, hit_correlation, hit_importance,
        hit_importance_sq, strand, peak_name, peak_id,
        CASE WHEN beaten."row" IS NULL THEN 1 ELSE 0 END AS is_primary
    FROM piece
    LEFT JOIN beaten ON beaten."row" = piece."row"
    ORDER BY piece."row"
) TO $path (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR 'NA');
