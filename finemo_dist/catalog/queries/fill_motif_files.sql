-- Question: none; fills motif_files.
-- Contract: one list a column, all of one length, one entry a motif set.
INSERT INTO motif_files
SELECT unnest($filename), unnest($motif_set);
