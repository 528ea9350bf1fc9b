-- Question: the hits of the view chunk_hits, of a run, as a staged table.
-- Contract: writes $path, with the columns that the variable wanted names. A dictionary is worth it for
-- few names, and is not tried for numbers.
COPY (
    SELECT COLUMNS(lambda name: list_contains(getvariable('wanted'), name))
    FROM chunk_hits
) TO $path (FORMAT parquet, COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 5000);
