-- Question: the hits of a sample on a range of chromosomes, as BED6.
-- Contract: writes $path; $table is hits or hits_unique. The score is the similarity in
-- thousandths, 0 to 1000. A start before the chromosome is 0, and an end after it is its end,
-- where that is known; a hit wholly outside, and a hit without a chromosome, is left out. With
-- $has_sample the sample ends every line, BED6+1. The order is that of ordered.sql.
COPY (
    SELECT
        COLUMNS(
            lambda c: c IN ('chr', 'first_base', 'end', 'name', 'score', 'strand')
            OR (c = 'of_sample' AND $has_sample)
        )
    FROM (
        SELECT
            chr,
            greatest(start, 0) AS first_base,
            least("end", coalesce(length, "end")) AS "end",
            cell(label) AS name,
            greatest(0, least(1000, round(1000 * hit_similarity::DOUBLE)))::INTEGER AS score,
            strand,
            cell(sample) AS of_sample,
            "end" AS called_end,
            * EXCLUDE (chr, "end", strand)
        FROM query_table($table)
        JOIN motif_labels($label) USING (motif_id)
        LEFT JOIN chromosome_ends USING (sample, chr)
        WHERE sample = $sample AND chr_id BETWEEN $first AND $last AND chr IS NOT NULL AND "end" > 0
            AND start < coalesce(length, start + 1)
    )
    ORDER BY
        chr_id, start, called_end, motif_id, peak_id, start_untrimmed, hit_coefficient, hit_similarity,
        hit_importance, hit_importance_sq
) TO $path (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR '.');
