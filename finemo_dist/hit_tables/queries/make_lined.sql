-- Question: none; the hits of the view chunk_hits, of a run, as a table to work on.
-- Contract: makes the table lined: the columns that the variable wanted names, in the order of the view.
CREATE OR REPLACE TEMP TABLE lined AS
SELECT COLUMNS(lambda name: list_contains(getvariable('wanted'), name))
FROM chunk_hits;
