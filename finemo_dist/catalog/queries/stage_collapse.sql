-- Question: none; what collapse.sql needs of the view file, the rows of a TSV.
-- Contract: makes the table staged, one row per line in the order of the file: rowid counts lines.
CREATE OR REPLACE TABLE staged AS
SELECT
    chr, start, "end", start_untrimmed, motif_name, strand, hit_coefficient,
    hit_coefficient_global, hit_similarity, peak_id
FROM file;
