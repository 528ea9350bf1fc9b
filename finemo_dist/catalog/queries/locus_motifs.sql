-- Question: which motif of a motif set is a motif of the run?
-- Contract: (run_id, own_id), one row per motif and strand of $motif_set; no row in a run of one set,
-- where both are the same.
SELECT
    run_id,
    own_id
FROM motif_places
WHERE motif_set = $motif_set
ORDER BY ALL;
