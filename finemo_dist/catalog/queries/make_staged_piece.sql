-- Question: none; some of the staged hits as collapse.sql wants them.
-- Contract: makes the temporary table piece: the rows of staged on $chromosomes, or without one in
-- the regions $first_peak to $last_peak; "row" counts the lines of the file from 0.
CREATE OR REPLACE TEMP TABLE piece AS
SELECT '' AS sample, *, rowid AS "row"
FROM staged
WHERE chr IN (SELECT unnest($chromosomes::VARCHAR[]))
    OR (chr IS NULL AND peak_id BETWEEN $first_peak AND $last_peak);
