-- Question: none; lists the files that the view qc_parts shows.
-- Contract: of this connection alone.
SET VARIABLE qc_parts = $files;
