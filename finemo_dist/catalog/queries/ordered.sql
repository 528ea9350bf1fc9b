-- Question: the hits of a sample on a range of chromosomes, in order.
-- Contract: the variable chunk has the fields table ('hits' or 'hits_unique'), sample, first and
-- last (chr_id). All columns of hits as they were called; by chromosome, region where there is no chromosome, start, end,
-- motif, peak: a total order.
SELECT COLUMNS(lambda c: c <> 'cluster')
FROM query_table(getvariable('chunk').table)
WHERE sample = getvariable('chunk').sample
    AND chr_id BETWEEN getvariable('chunk').first AND getvariable('chunk').last
ORDER BY
    chr_id, CASE WHEN chr IS NULL THEN peak_id END, start, "end", motif_id, peak_id,
    start_untrimmed, hit_coefficient, hit_similarity, hit_importance, hit_importance_sq;
