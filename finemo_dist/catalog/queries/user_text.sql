-- Question: the user's, in the variable question.
-- Contract: its columns as text, so that every format spells a value alike; null stays null.
-- query() takes one SELECT and nothing that writes.
SELECT COLUMNS(*)::VARCHAR FROM query(getvariable('question'));
