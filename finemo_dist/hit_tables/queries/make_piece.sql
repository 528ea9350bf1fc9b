-- Question: the hits of a staged table on some chromosomes.
-- Contract: makes the view piece: the columns of the staged files that the variable files names, of
-- the chromosomes that the variable chroms does, '' for none; and what rules want besides: sample,
-- and "row", 2^40 times the place of the file in files, from 0, and the row within it.
CREATE OR REPLACE TEMP VIEW piece AS
SELECT *, '' AS sample, (file_index::BIGINT << 40) + file_row_number AS "row"
FROM read_parquet(getvariable('files'))
WHERE list_contains(getvariable('chroms'), coalesce(chr, ''));
