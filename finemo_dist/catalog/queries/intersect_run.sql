-- Question: as intersect_columns.sql, of some hits of a sample of a run; and what do they say?
-- Contract: the columns of intersect_columns.sql and said, the cells that the answer takes from
-- them; to be read as a stream. The variable chunk has the fields sample, table ('hits' or
-- 'hits_unique'), is_relaxed, is_first, chr_ids, and the bounds low and high of starts (relaxed, of
-- untrimmed starts), first_peak and last_peak of regions without a chromosome. Null is NA. No order.
WITH hit AS (
    SELECT
        *,
        -- hit_correlation says the same.
        hit_similarity::VARCHAR AS similarity,
        concat_ws(
            chr(9), hit_coefficient, hit_coefficient_global, similarity, similarity,
            hit_importance, hit_importance_sq
        ) AS scores
    FROM query_table(getvariable('chunk')."table")
    WHERE sample = getvariable('chunk').sample
        AND list_contains(getvariable('chunk').chr_ids, chr_id)
        -- Skips row groups, which the list does not.
        AND chr_id BETWEEN list_min(getvariable('chunk').chr_ids)
            AND list_max(getvariable('chunk').chr_ids)
        AND (
            chr IS NULL
            OR getvariable('chunk').is_relaxed
            OR start BETWEEN getvariable('chunk').low AND getvariable('chunk').high
        )
        AND (
            chr IS NULL
            OR NOT getvariable('chunk').is_relaxed
            OR start_untrimmed BETWEEN getvariable('chunk').low AND getvariable('chunk').high
        )
        AND (
            chr IS NOT NULL
            OR peak_id BETWEEN getvariable('chunk').first_peak AND getvariable('chunk').last_peak
        )
)
SELECT
    chr, start, "end", start_untrimmed, end_untrimmed, motif_name, hit_coefficient,
    hit_coefficient_global, hit_similarity, hit_correlation, hit_importance, hit_importance_sq,
    strand, hash(peak_name) AS peak_name_hash, peak_id,
    CASE
        WHEN getvariable('chunk').is_first THEN concat_ws(
            chr(9), coalesce(chr, 'NA'), start, "end", start_untrimmed, end_untrimmed, motif_name,
            scores, strand, coalesce(peak_name, 'NA'), peak_id
        )
        WHEN getvariable('chunk').is_relaxed THEN concat_ws(
            chr(9), start, "end", scores, coalesce(peak_name, 'NA'), peak_id
        )
        ELSE scores
    END AS said
FROM hit;
