-- Question: how would the user's question be answered?
-- Contract: (kind, plan as text); nothing is computed.
EXPLAIN FROM query(getvariable('question'));
