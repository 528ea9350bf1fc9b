-- Question: the hits of a sample on a range of chromosomes, as lines of finemo's hits.tsv.
-- Contract: (line), each with its end, as bytes. The variable chunk has the fields of ordered.sql, and
-- has_sample: whether the sample leads every line; table is a view of named_hits.sql. The order is that
-- of ordered.sql. Null is NA; a tab or line end in a name is a space.
SELECT cells AS line
FROM with_cells(
    getvariable('chunk')."table",
    CASE WHEN getvariable('chunk').has_sample
        THEN cell(getvariable('chunk').sample) || chr(9) ELSE '' END,
    chr(10)
)
WHERE sample = getvariable('chunk').sample
    AND chr_id BETWEEN getvariable('chunk').first AND getvariable('chunk').last
ORDER BY
    chr_id, CASE WHEN chr IS NULL THEN peak_id END, start, "end", motif_id, peak_id,
    start_untrimmed, hit_coefficient, hit_similarity, hit_importance, hit_importance_sq;
