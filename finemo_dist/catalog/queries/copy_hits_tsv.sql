-- Question: the hits of a sample on a range of chromosomes, as lines of finemo's hits.tsv.
-- Contract: writes $path, no header; $table is hits or hits_unique. With $has_sample the sample leads
-- every line. The order is that of ordered.sql. Null is NA; a tab or line end in a name is a space.
COPY (
    SELECT
        COLUMNS(
            lambda c: c NOT IN ('motif_id', 'chr_id', 'hit_score', 'cluster')
                AND (c <> 'sample' OR $has_sample)
        )
    FROM (
        -- Here, names are still numbers of a dictionary, and each is looked at once.
        SELECT
            * REPLACE (
                cell(sample) AS sample, cell(motif_name) AS motif_name, cell(peak_name) AS peak_name
            )
        FROM query_table($table)
        WHERE sample = $sample AND chr_id BETWEEN $first AND $last
    )
    ORDER BY
        chr_id, CASE WHEN chr IS NULL THEN peak_id END, start, "end", motif_id, peak_id,
        start_untrimmed, hit_coefficient, hit_similarity, hit_importance, hit_importance_sq
) TO $path (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR 'NA');
