-- Question: which operators would answer the user's question?
-- Contract: (kind, plan as JSON: a list of {name, children}); nothing is computed.
EXPLAIN (FORMAT json) FROM query(getvariable('question'));
