-- Question: none; fills chromosome_ends.
-- Contract: one list a column, all of one length, one entry a sample and chromosome.
INSERT INTO chromosome_ends
SELECT unnest($sample), unnest($chr), unnest($length);
