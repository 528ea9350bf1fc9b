-- Question: how strong are the hits of each motif in a sample?
-- Contract: needs compare_tables.sql. (label, bin of the score, hits); kind is motif, tf, family or
-- cluster. Every hit counts in every region it was called in. No order.
SELECT label, score_bin(hit_coefficient, hit_coefficient_global) AS bin, count(*) AS n
FROM hits
JOIN motif_labels($kind) USING (motif_id)
WHERE sample = $sample AND hit_coefficient > 0 AND hit_coefficient_global > 0
GROUP BY ALL;
