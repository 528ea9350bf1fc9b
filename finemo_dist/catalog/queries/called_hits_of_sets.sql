-- Question: as called_hits.sql, for a run of several motif sets.
-- Contract: motifs are counted over all sets, and their names lead with that of their set. A file of
-- its own, because a name that is put together is no longer a number of a dictionary.
CREATE MACRO called_hits(rows_view) AS TABLE
SELECT
    * EXCLUDE (first_motif_id, name_prefix)
    REPLACE (name_prefix || motif_name AS motif_name, motif_id + first_motif_id AS motif_id)
FROM query_table(rows_view);
