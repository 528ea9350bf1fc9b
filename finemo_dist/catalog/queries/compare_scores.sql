-- Question: how strong are the hits of each motif in a sample, and how many are believed?
-- Contract: needs compare_tables.sql. (label, bin of the score, hits, hits of motifs with a q, believed
-- hits); kind is motif, tf, family or cluster. Every hit counts in every region it was called in.
-- By label and bin, so that sums over rows are those of any other time.
SELECT
    label,
    score_bin(hit_coefficient, hit_coefficient_global) AS bin,
    count(*) AS n,
    count(*) FILTER (has_q) AS n_judged,
    count(*) FILTER (
        amplitude_of(hit_coefficient, hit_coefficient_global, hit_importance_sq)
            >= believed_cuts.hit_amplitude
    ) AS n_believed
FROM hits
JOIN motif_labels($kind) USING (motif_id)
LEFT JOIN believed_cuts
    ON believed_cuts.sample = hits.sample AND believed_cuts.motif_name = hits.motif_name
WHERE hits.sample = $sample AND hit_coefficient > 0 AND hit_coefficient_global > 0
GROUP BY ALL
ORDER BY label, bin;
