-- Question: none; an empty temporary table piece with the columns of staged.
CREATE OR REPLACE TEMP TABLE piece AS FROM staged LIMIT 0;
