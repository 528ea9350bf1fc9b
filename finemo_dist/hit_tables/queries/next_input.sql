-- Question: as first_input.sql, of one input more.
-- Contract: the view joined becomes the table shared.
CREATE OR REPLACE TEMP TABLE next AS FROM joined;
DROP TABLE shared;
ALTER TABLE next RENAME TO shared;
