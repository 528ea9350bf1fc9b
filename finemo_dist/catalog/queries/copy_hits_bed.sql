-- Question: the hits of a sample on a range of chromosomes, as BED6.
-- Contract: writes $path; $table is hits or hits_unique. The score is that of the table score_cuts,
-- which was made with the same $rank_by. A start before the chromosome is 0, and an end after it is its end,
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
            score_cuts.score,
            strand,
            cell(hit.sample) AS of_sample,
            "end" AS called_end,
            hit.* EXCLUDE (chr, "end", strand)
        FROM (
            SELECT
                *,
                ranked_value(
                    $rank_by, hit_score, hit_similarity, hit_importance, hit_coefficient_global
                ) AS value
            FROM query_table($table)
        ) AS hit
        JOIN motif_labels($label) USING (motif_id)
        LEFT JOIN chromosome_ends USING (sample, chr)
        ASOF JOIN score_cuts ON hit.sample = score_cuts.sample AND hit.value >= score_cuts.value
        WHERE hit.sample = $sample AND chr_id BETWEEN $first AND $last AND chr IS NOT NULL AND "end" > 0
            AND start < coalesce(length, start + 1)
    )
    ORDER BY
        chr_id, start, called_end, motif_id, peak_id, start_untrimmed, hit_coefficient, hit_similarity,
        hit_importance, hit_importance_sq
) TO $path (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR '.');
