-- Question: none; fills compact_files.
-- Contract: one list a column, all of one length, one entry a file.
INSERT INTO compact_files
SELECT unnest($filename), unnest($sample), unnest($chr), unnest($chr_id);
