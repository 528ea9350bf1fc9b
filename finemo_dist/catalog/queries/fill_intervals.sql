-- Question: none; adds to intervals.
-- Contract: one list a column, all of one length, one entry an interval.
INSERT INTO intervals
SELECT unnest($line), unnest($chr), unnest($start), unnest($end), unnest($name);
