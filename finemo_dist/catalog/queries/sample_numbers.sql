-- Question: the numbers of every sample, for status and summaries.
-- Contract: one row per sample, by name.
SELECT
    sample, n_regions, n_shards, n_shards_committed, n_regions_committed, n_hits,
    n_not_converged, max_gap
FROM samples
ORDER BY sample;
