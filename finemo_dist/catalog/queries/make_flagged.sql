-- Question: which hits of the table piece are unique, and which are primary?
-- Contract: makes the temporary table flagged: the rows of piece with is_unique by unique.sql and
-- is_primary, false for those whose row the table beaten has. No order.
CREATE OR REPLACE TEMP TABLE flagged AS
WITH kept AS (SELECT "row" FROM unique_of('piece'))
SELECT
    piece.*,
    kept."row" IS NOT NULL AS is_unique,
    beaten."row" IS NULL AS is_primary
FROM piece
LEFT JOIN kept ON kept."row" = piece."row"
LEFT JOIN beaten ON beaten."row" = piece."row";
