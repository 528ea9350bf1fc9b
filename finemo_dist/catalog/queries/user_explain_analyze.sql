-- Question: how was the user's question answered, and where did the time go?
-- Contract: (kind, plan as text with times).
EXPLAIN ANALYZE FROM query(getvariable('question'));
