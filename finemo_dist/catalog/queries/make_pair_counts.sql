-- Question: none; makes the tables that cooccurrence.sql reads, for one connection.
-- Contract: pair_counts, empty; motifs are known by their first motif_id. sample_kinds: samples that
-- were called with the same motifs are of one kind, named by the first of them.
CREATE TEMP TABLE pair_counts (kind VARCHAR, motif_1 INTEGER, motif_2 INTEGER, n_regions BIGINT);
CREATE TEMP TABLE sample_kinds AS
SELECT sample, min(sample) OVER (PARTITION BY called) AS kind
FROM (
    SELECT sample, list(DISTINCT motif_name ORDER BY motif_name) AS called
    FROM sample_motifs
    GROUP BY sample
);
