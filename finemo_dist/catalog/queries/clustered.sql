-- Question: which cluster is the motif of each hit in?
-- Contract: makes the table macro clustered(hits_table): the rows of believed(hits_table), then cluster,
-- null where the annotation has none. No order.
-- Motifs are grouped so that DuckDB knows each id to be there once: a query that does not ask for
-- clusters then has no join.
CREATE MACRO clustered(hits_table) AS TABLE
SELECT hit.*, motif.cluster
FROM believed(hits_table) AS hit
LEFT JOIN (
    SELECT motif_id, any_value(cluster) AS cluster FROM motifs GROUP BY motif_id
) AS motif ON motif.motif_id = hit.motif_id;
