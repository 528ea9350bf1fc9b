-- Question: which motifs are hits of, where every part counts and names motifs as the run does?
-- Contract: makes the table macro called_hits(rows_view): part_rows or compact_rows, by name, with
-- motifs as the views have them.
CREATE MACRO called_hits(rows_view) AS TABLE
SELECT * FROM query_table(rows_view);
