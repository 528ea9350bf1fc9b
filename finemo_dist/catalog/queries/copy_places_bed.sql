-- Question: the hits on a range of chromosomes, all samples together, as BED6+1.
-- Contract: as copy_hits_bed.sql, and the sample ends every line; chromosomes are $first to $last by
-- name. By chromosome name, start, end, motif, sample, peak: what tabix and bigBed ask for.
COPY (
    SELECT
        chr,
        greatest(start, 0),
        least("end", coalesce(length, "end")),
        cell(label),
        score_cuts.score,
        strand,
        cell(hit.sample)
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
    WHERE chr BETWEEN $first AND $last AND "end" > 0 AND start < coalesce(length, start + 1)
    ORDER BY
        chr, greatest(start, 0), "end", motif_id, hit.sample, peak_id, start_untrimmed, hit_coefficient,
        hit_similarity, hit_importance, hit_importance_sq
) TO $path (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR '.');
