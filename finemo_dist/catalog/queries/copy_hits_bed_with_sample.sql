-- Question: as copy_hits_bed.sql, for a file of several samples.
-- Contract: BED6+1: the sample ends every line.
COPY (
    SELECT
        chr,
        greatest(start, 0),
        "end",
        cell(label),
        greatest(0, least(1000, round(1000 * hit_similarity::DOUBLE)))::INTEGER,
        strand,
        cell(sample)
    FROM query_table($table)
    JOIN motif_labels($label) USING (motif_id)
    WHERE sample = $sample AND chr_id BETWEEN $first AND $last AND chr IS NOT NULL AND "end" > 0
    ORDER BY
        chr_id, start, "end", motif_id, peak_id, start_untrimmed, hit_coefficient, hit_similarity,
        hit_importance, hit_importance_sq
) TO $path (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR '.');
