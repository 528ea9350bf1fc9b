-- Question: which query is a syntax tree of?
-- Contract: one row, its text.
SELECT json_deserialize_sql($tree::JSON);
