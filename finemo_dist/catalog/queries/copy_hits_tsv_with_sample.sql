-- Question: as copy_hits_tsv.sql, for a file of several samples.
-- Contract: the sample leads every line.
COPY (
    SELECT
        cell(sample), chr, start, "end", start_untrimmed, end_untrimmed, cell(motif_name),
        hit_coefficient,
        hit_coefficient_global, hit_similarity, hit_correlation, hit_importance,
        hit_importance_sq, strand, cell(peak_name), peak_id
    FROM query_table($table)
    WHERE sample = $sample AND chr_id BETWEEN $first AND $last
    ORDER BY
        chr_id, CASE WHEN chr IS NULL THEN peak_id END, start, "end", motif_id, peak_id,
        start_untrimmed, hit_coefficient, hit_similarity, hit_importance, hit_importance_sq
) TO $path (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR 'NA');
