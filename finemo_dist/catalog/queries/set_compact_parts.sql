-- Question: none; lists the files that the view compact_parts shows.
-- Contract: of this connection alone.
SET VARIABLE compact_parts = $files;
