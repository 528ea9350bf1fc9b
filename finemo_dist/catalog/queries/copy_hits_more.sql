-- Question: the lines of hit_lines.sql, with further columns.
-- Contract: writes $path, no header; $table is hits or hits_unique. With $has_sample the sample leads
-- every line. Lines are those of hit_lines.sql; the list $further names columns that end every line, in the order of
-- hit_score, hit_amplitude, decoy_q, decoy_q_pooled, display_name and cluster.
COPY (
    SELECT
        COLUMNS(
            lambda c: (
                c NOT IN (
                    'motif_id', 'chr_id', 'hit_score', 'hit_amplitude', 'decoy_q',
                    'decoy_q_pooled', 'display_name', 'cluster'
                )
                OR list_contains($further, c)
            )
            AND (c <> 'sample' OR $has_sample)
        )
    FROM (
        SELECT
            hit.* EXCLUDE (cluster) REPLACE (
                cell(sample) AS sample, cell(motif_name) AS motif_name, cell(peak_name) AS peak_name
            ),
            cell(display_name) AS display_name,
            cell(cluster) AS cluster
        FROM with_confidence($table) AS hit
        JOIN (SELECT motif_id, display_name FROM motifs) USING (motif_id)
        WHERE sample = $sample AND chr_id BETWEEN $first AND $last
    )
    ORDER BY
        chr_id, CASE WHEN chr IS NULL THEN peak_id END, start, "end", motif_id, peak_id,
        start_untrimmed, hit_coefficient, hit_similarity, hit_importance, hit_importance_sq
) TO $path (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR 'NA');
