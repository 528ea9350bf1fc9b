-- Question: none; makes the table that cooccurrence.sql reads, for one connection.
-- Contract: empty; motifs are known by their first motif_id.
CREATE TEMP TABLE pair_counts (motif_1 INTEGER, motif_2 INTEGER, n_regions BIGINT);
