-- Question: what of the view file, the rows of a TSV, decides which hits overlap and which is best?
-- Contract: in the order of the lines, to be read as a stream. Whole numbers stay DOUBLE, as they
-- were read: DuckDB reads 1.5 as the whole number 2.
SELECT
    chr, start, "end", start_untrimmed, peak_id, motif_name, strand, hit_coefficient,
    hit_coefficient_global, hit_similarity
FROM file;
