-- Question: none; adds the view file, the rows of a TSV, to staged.
-- Contract: as input $input.
INSERT INTO staged
SELECT
    $input, chr, start, "end", start_untrimmed, end_untrimmed, motif_name, hit_coefficient,
    hit_coefficient_global, hit_similarity, hit_correlation, hit_importance, hit_importance_sq,
    strand, peak_name, peak_id
FROM file;
