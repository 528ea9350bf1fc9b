-- Question: which hits of the table piece are unique, and which are primary?
-- Contract: makes the temporary table flagged: the rows of piece with is_unique by unique.sql, and
-- is_primary by collapse.sql for an overlap of 0.2. No order.
CREATE OR REPLACE TEMP TABLE flagged AS
SELECT
    piece.*,
    kept."row" IS NOT NULL AS is_unique,
    beaten."row" IS NULL AS is_primary
FROM piece
LEFT JOIN unique_of('piece') AS kept ON kept."row" = piece."row"
LEFT JOIN beaten_in('piece', 200000) AS beaten ON beaten."row" = piece."row";
