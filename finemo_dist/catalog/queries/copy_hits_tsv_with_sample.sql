-- Question: as copy_hits_tsv.sql, for a file of several samples.
-- Contract: the sample leads every line.
COPY (
    SELECT
        sample, chr, start, "end", start_untrimmed, end_untrimmed, motif_name, hit_coefficient,
        hit_coefficient_global, hit_similarity, hit_correlation, hit_importance,
        hit_importance_sq, strand, peak_name, peak_id
    FROM (
        -- Here, names are still numbers of a dictionary, and each is looked at once.
        SELECT * REPLACE (cell(sample) AS sample, cell(motif_name) AS motif_name, cell(peak_name) AS peak_name)
        FROM query_table($table)
        WHERE sample = $sample AND chr_id BETWEEN $first AND $last
    )
    ORDER BY
        chr_id, CASE WHEN chr IS NULL THEN peak_id END, start, "end", motif_id, peak_id,
        start_untrimmed, hit_coefficient, hit_similarity, hit_importance, hit_importance_sq
) TO $path (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR 'NA');
