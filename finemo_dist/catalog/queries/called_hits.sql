-- Question: which motifs are hits of, in a run of one motif set?
-- Contract: makes the table macro called_hits(rows_view): part_rows or compact_rows, by name, with
-- motifs as the views have them.
CREATE MACRO called_hits(rows_view) AS TABLE
SELECT * EXCLUDE (first_motif_id, name_prefix) FROM query_table(rows_view);
