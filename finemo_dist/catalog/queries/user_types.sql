-- Question: which columns does the answer to the user's question have?
-- Contract: (column_name, column_type, ...), in order; nothing is computed.
DESCRIBE FROM query(getvariable('question'));
