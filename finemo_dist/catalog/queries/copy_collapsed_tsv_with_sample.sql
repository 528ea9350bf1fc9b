-- Question: as copy_collapsed_tsv.sql, for a file of several samples.
-- Contract: the sample leads every line.
COPY (
    SELECT
        piece.sample, chr, start, "end", start_untrimmed, end_untrimmed, motif_name, hit_coefficient,
        hit_coefficient_global, hit_similarity, hit_correlation, hit_importance,
        hit_importance_sq, strand, peak_name, peak_id,
        CASE WHEN beaten."row" IS NULL THEN 1 ELSE 0 END AS is_primary
    FROM piece
    LEFT JOIN beaten ON beaten."row" = piece."row"
    ORDER BY piece."row"
) TO $path (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR 'NA');
