-- Question: none; fills compared.
-- Contract: one list a column, all of one length, one entry a sample.
INSERT INTO compared SELECT unnest($sample), unnest($side);
