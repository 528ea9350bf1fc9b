-- Question: which hits does a sample of a run of decoys have, one a place?
-- Contract: the columns of decoy_hits but names and round, and motif_id; the rows of hits_unique, or
-- of hits where regions have no chromosome: $table. By place, a total order.
SELECT
    chr,
    start,
    "end",
    strand,
    amplitude_of(hit_coefficient, hit_coefficient_global, hit_importance_sq) AS hit_amplitude,
    hit_score,
    peak_id,
    motif_id
FROM query_table($table)
WHERE sample = $sample
ORDER BY chr_id, CASE WHEN chr IS NULL THEN peak_id END, start, "end", motif_id, peak_id, start_untrimmed;
