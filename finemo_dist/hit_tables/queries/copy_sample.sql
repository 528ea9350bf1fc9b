-- Question: the hits of the view chunk_hits, of a run, as a staged table.
-- Contract: writes $path, with cells as $said names them: the columns that the variable wanted names, of with_cells.sql. A
-- dictionary is worth it for few names, and is not tried for numbers.
COPY (
    SELECT COLUMNS(lambda name: list_contains(getvariable('wanted'), name))
    FROM with_cells('chunk_hits', $said, '', '')
) TO $path (FORMAT parquet, COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 5000);
