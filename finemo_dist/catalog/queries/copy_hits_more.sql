-- Question: the lines of copy_hits_tsv.sql, with further columns.
-- Contract: as copy_hits_tsv.sql; the list $further names columns that end every line, in the order of
-- hit_score, hit_amplitude, decoy_q and decoy_q_pooled.
COPY (
    SELECT
        COLUMNS(
            lambda c: (
                c NOT IN (
                    'motif_id', 'chr_id', 'hit_score', 'hit_amplitude', 'decoy_q', 'decoy_q_pooled'
                )
                OR list_contains($further, c)
            )
            AND (c <> 'sample' OR $has_sample)
        )
    FROM (
        SELECT
            * REPLACE (
                cell(sample) AS sample, cell(motif_name) AS motif_name, cell(peak_name) AS peak_name
            )
        FROM with_confidence($table)
        WHERE sample = $sample AND chr_id BETWEEN $first AND $last
    )
    ORDER BY
        chr_id, CASE WHEN chr IS NULL THEN peak_id END, start, "end", motif_id, peak_id,
        start_untrimmed, hit_coefficient, hit_similarity, hit_importance, hit_importance_sq
) TO $path (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR 'NA');
