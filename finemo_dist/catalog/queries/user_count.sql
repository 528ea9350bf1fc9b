-- Question: how many rows has the answer to the user's question?
-- Contract: (n), one row.
SELECT count(*) AS n FROM query(getvariable('question'));
