-- Question: how does the answer to the user's question begin?
-- Contract: as user_text.sql, the first rows of the variable most.
SELECT COLUMNS(*)::VARCHAR FROM query(getvariable('question')) LIMIT getvariable('most');
