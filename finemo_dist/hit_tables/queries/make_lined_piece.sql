-- Question: the hits of the table lined.
-- Contract: makes the view piece, as make_piece.sql: "row" counts from 0 in the order of the table.
CREATE OR REPLACE TEMP VIEW piece AS SELECT *, rowid AS "row" FROM lined;
