-- Question: none; makes the table that overlap.sql reads, for one connection.
-- Contract: empty; line is the number of the line in the user's file, from 1.
CREATE TEMP TABLE intervals (line BIGINT, chr VARCHAR, start BIGINT, "end" BIGINT, name VARCHAR);
