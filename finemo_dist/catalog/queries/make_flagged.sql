-- Question: which hits of the table piece are unique, and which are primary?
-- Contract: makes the temporary table flagged: the rows of piece with is_unique and is_primary, by
-- unique.sql and collapse.sql. No order.
CREATE OR REPLACE TEMP TABLE flagged AS
WITH
kept AS (SELECT "row" FROM unique_of('piece')),
best AS (
    SELECT "row"
    FROM primary_of('piece', $overlap_ppm, (SELECT max("end" - start) FROM piece))
)
SELECT
    piece.*,
    kept."row" IS NOT NULL AS is_unique,
    best."row" IS NOT NULL AS is_primary
FROM piece
LEFT JOIN kept ON kept."row" = piece."row"
LEFT JOIN best ON best."row" = piece."row";
