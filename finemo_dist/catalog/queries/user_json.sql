-- Question: the user's, in the variable question.
-- Contract: one JSON object a row.
SELECT to_json(answer)::VARCHAR FROM query(getvariable('question')) AS answer;
