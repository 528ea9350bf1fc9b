-- Question: none; fills part_files.
-- Contract: one list a column, all of one length, one entry a committed part.
INSERT INTO part_files
SELECT unnest($filename), unnest($sample);
