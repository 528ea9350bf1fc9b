-- Question: how is a query of the user's put together?
-- Contract: one row, one JSON object: its syntax tree, or that it has none. Nothing is bound or run.
SELECT json_serialize_sql($query::VARCHAR);
