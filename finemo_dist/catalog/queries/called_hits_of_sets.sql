-- Question: as called_hits.sql, where sets of the run count or name motifs otherwise.
-- Contract: as there, with motifs of the run. A file of its own, because a name that is looked up is no
-- longer a number of a dictionary.
CREATE MACRO called_hits(rows_view) AS TABLE
SELECT rows.* REPLACE (motif_places.run_name AS motif_name, motif_places.run_id AS motif_id)
FROM query_table(rows_view) AS rows
JOIN sample_table ON sample_table.sample = rows.sample
JOIN motif_places
    ON motif_places.motif_set = sample_table.motif_set AND motif_places.own_id = rows.motif_id;
CREATE VIEW part_hits AS FROM called_hits('part_rows');
