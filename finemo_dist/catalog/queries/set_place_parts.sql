-- Question: none; lists the files that the view place_parts shows.
-- Contract: of this connection alone.
SET VARIABLE place_parts = $files;
