-- Question: what do the hits say that all inputs share?
-- Contract: writes $path: a line for each row of matched, sorted by line, combination and input.
-- Of input 0 the columns of finemo's hits.tsv; of the others those that need not agree. Null is NA.
COPY (
    WITH said AS (
        SELECT
            line,
            combination,
            matched.input,
            chr, start, "end", start_untrimmed, end_untrimmed, motif_name, strand, peak_name,
            peak_id,
            concat_ws(
                chr(9), hit_coefficient, hit_coefficient_global, hit_similarity, hit_correlation,
                hit_importance, hit_importance_sq
            ) AS scores
        FROM matched
        JOIN piece ON piece.rowid = matched."row"
    )
    SELECT
        CASE
            WHEN input = 0 THEN concat_ws(
                chr(9), coalesce(chr, 'NA'), start, "end", start_untrimmed, end_untrimmed,
                motif_name, scores, strand, coalesce(peak_name, 'NA'), peak_id
            )
            WHEN $is_relaxed THEN concat_ws(
                chr(9), start, "end", scores, coalesce(peak_name, 'NA'), peak_id
            )
            ELSE scores
        END
    FROM said
    ORDER BY line, combination, input
) TO $path (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '');
