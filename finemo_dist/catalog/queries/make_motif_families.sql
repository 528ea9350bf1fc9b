-- Question: none; what families.sql reads.
-- Contract: makes the temporary table motif_families: one list a column, one entry a motif.
CREATE OR REPLACE TEMP TABLE motif_families AS
SELECT
    unnest($motif_order) AS motif_order,
    unnest($motif_name) AS motif_name,
    unnest($family) AS family,
    unnest($n_motifs) AS n_motifs,
    unnest($similar_to) AS similar_to,
    unnest($similarity) AS similarity;
