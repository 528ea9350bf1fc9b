-- Question: none; what collapse.sql needs of the view file, the rows of a TSV.
-- Contract: makes the table staged, one row per line in the order of the file: rowid counts lines.
-- Whole numbers are read as DOUBLE, because DuckDB reads 1.5 as the whole number 2; a fraction
-- becomes null.
CREATE OR REPLACE TABLE staged AS
SELECT
    chr,
    CASE WHEN start = floor(start) THEN start::BIGINT END AS start,
    CASE WHEN "end" = floor("end") THEN "end"::BIGINT END AS "end",
    CASE WHEN start_untrimmed = floor(start_untrimmed) THEN start_untrimmed::BIGINT END AS start_untrimmed,
    CASE WHEN peak_id = floor(peak_id) THEN peak_id::UINTEGER END AS peak_id,
    motif_name,
    strand,
    hit_coefficient,
    hit_coefficient_global,
    hit_similarity
FROM file;
