-- Question: how strong are the hits of a sample, one a place?
-- Contract: (motif_id, hit_amplitude) of the rows of hits_unique, or of hits where regions have no
-- chromosome. By motif and amplitude.
SELECT
    motif_id,
    amplitude_of(hit_coefficient, hit_coefficient_global, hit_importance_sq) AS hit_amplitude
FROM query_table($table)
WHERE sample = $sample
ORDER BY ALL;
