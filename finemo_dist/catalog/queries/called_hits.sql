-- Question: which motifs are hits of, where every part counts and names motifs as the run does?
-- Contract: makes the table macro called_hits(rows_view): compact_rows or placed_rows, by name, with
-- motifs as the views have them; and the view part_hits: the columns of hits, of the parts that no
-- current compaction replaces. No order.
CREATE MACRO called_hits(rows_view) AS TABLE
SELECT * FROM query_table(rows_view);
-- Without the macro, which every question of hits would bind.
CREATE VIEW part_hits AS FROM part_rows;
