-- Question: none; fills common_regions.
-- Contract: one list a column, all of one length, one entry an interval.
INSERT INTO common_regions SELECT unnest($chr), unnest($first), unnest($last);
