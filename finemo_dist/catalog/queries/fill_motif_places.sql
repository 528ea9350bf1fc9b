-- Question: none; fills motif_places.
-- Contract: one list a column, all of one length, one entry a motif and strand of a set.
INSERT INTO motif_places
SELECT
    unnest($motif_set), unnest($own_id), unnest($run_id), unnest($run_name), unnest($annotated),
    unnest($is_home);
