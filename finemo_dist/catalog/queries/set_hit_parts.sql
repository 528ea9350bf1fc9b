-- Question: none; lists the files that the view hit_parts shows.
-- Contract: of this connection alone.
SET VARIABLE hit_parts = $files;
