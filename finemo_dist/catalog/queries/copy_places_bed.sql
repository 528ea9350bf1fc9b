-- Question: the hits on a range of chromosomes, all samples together, as BED6+1.
-- Contract: as copy_hits_bed.sql, and the sample ends every line; chromosomes are $first to $last by
-- name. By chromosome name, start, end, motif, sample, peak: what tabix and bigBed ask for.
COPY (
    SELECT
        chr,
        greatest(start, 0),
        least("end", coalesce(length, "end")),
        cell(label),
        greatest(0, least(1000, round(1000 * hit_similarity::DOUBLE)))::INTEGER,
        strand,
        cell(sample)
    FROM query_table($table)
    JOIN motif_labels($label) USING (motif_id)
    LEFT JOIN chromosome_ends USING (sample, chr)
    WHERE chr BETWEEN $first AND $last AND "end" > 0 AND start < coalesce(length, start + 1)
    ORDER BY
        chr, greatest(start, 0), "end", motif_id, sample, peak_id, start_untrimmed, hit_coefficient,
        hit_similarity, hit_importance, hit_importance_sq
) TO $path (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR '.');
