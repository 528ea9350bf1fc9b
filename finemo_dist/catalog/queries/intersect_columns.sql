-- Question: what of the view file, the rows of a TSV, decides which hits are the same, and in what
-- order they come?
-- Contract: in the order of the lines, to be read as a stream. Whole numbers stay DOUBLE, as they
-- were read: DuckDB reads 1.5 as the whole number 2. Names of peaks are numbers of 64 bits, because
-- all that is asked of them is whether those of hits that agree in all else differ.
SELECT
    chr, start, "end", start_untrimmed, end_untrimmed, motif_name, hit_coefficient,
    hit_coefficient_global, hit_similarity, hit_correlation, hit_importance, hit_importance_sq,
    strand, hash(peak_name) AS peak_name_hash, peak_id
FROM file;
