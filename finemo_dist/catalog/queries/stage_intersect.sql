-- Question: none; adds the view file, the rows of a TSV, to staged.
-- Contract: as input $input. Whole numbers are read as DOUBLE, because DuckDB reads 1.5 as the whole
-- number 2; a fraction becomes null.
INSERT INTO staged BY NAME
SELECT
    $input AS input,
    chr,
    CASE WHEN start = floor(start) THEN start::BIGINT END AS start,
    CASE WHEN "end" = floor("end") THEN "end"::BIGINT END AS "end",
    CASE WHEN start_untrimmed = floor(start_untrimmed) THEN start_untrimmed::BIGINT END AS start_untrimmed,
    CASE WHEN end_untrimmed = floor(end_untrimmed) THEN end_untrimmed::BIGINT END AS end_untrimmed,
    CASE WHEN peak_id = floor(peak_id) THEN peak_id::UINTEGER END AS peak_id,
    motif_name,
    hit_coefficient,
    hit_coefficient_global,
    hit_similarity,
    hit_correlation,
    hit_importance,
    hit_importance_sq,
    strand,
    peak_name
FROM file;
