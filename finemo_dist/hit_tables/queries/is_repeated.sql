-- Question: has the table $input several hits at some site?
-- Contract: sets the variable is_repeated, from the table repeated.
SET VARIABLE is_repeated = EXISTS (FROM repeated WHERE input = $input);
