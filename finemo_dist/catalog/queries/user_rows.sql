-- Question: the user's, in the variable question.
-- Contract: its rows as they are.
FROM query(getvariable('question'));
