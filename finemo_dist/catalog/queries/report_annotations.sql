-- Question: what are the motifs thought to be?
-- Contract: one row per annotated motif (motif_name, tf, family, cluster), null where unknown; by
-- name.
SELECT DISTINCT motif_name, tf, family, cluster
FROM motifs
WHERE tf IS NOT NULL OR family IS NOT NULL OR cluster IS NOT NULL
ORDER BY ALL;
