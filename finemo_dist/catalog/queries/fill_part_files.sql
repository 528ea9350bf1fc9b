-- Question: none; fills part_files.
-- Contract: two lists of one length: the path of a committed part and the sample it belongs to.
INSERT INTO part_files SELECT unnest($filename), unnest($sample);
