-- Question: the hits on a range of chromosomes, as records of a bigBed of six standard fields.
-- Contract: the variable chunk has the fields table, label, rank_by, has_q, first and last (chr).
-- (chr, start, end, rest); rest holds the further fields, tab by tab, those that exports/bigbed.py
-- describes; the score is that of score_cuts. Null is a dot; a space is an underscore, because some readers part fields at spaces.
-- Order as copy_places_bed.sql.
SELECT
    chr,
    greatest(start, 0) AS start,
    least("end", coalesce(length, "end")) AS "end",
    concat_ws(
        chr(9),
        replace(cell(label), ' ', '_'),
        score_cuts.score,
        strand,
        hit_coefficient,
        hit_coefficient_global,
        hit_similarity,
        hit_importance,
        hit_score,
        -- A null is left out.
        CASE WHEN getvariable('chunk').has_q THEN coalesce(decoy_q::FLOAT, 'nan'::FLOAT) END,
        CASE WHEN getvariable('chunk').has_q THEN coalesce(decoy_q_pooled::FLOAT, 'nan'::FLOAT) END,
        coalesce(replace(cell(peak_name), ' ', '_'), '.'),
        peak_id,
        replace(cell(hit.sample), ' ', '_')
    ) AS rest
FROM (
    SELECT
        *,
        ranked_value(
            getvariable('chunk').rank_by, hit_score, hit_similarity, hit_importance,
            hit_coefficient_global
        ) AS value
    FROM with_confidence(getvariable('chunk').table)
) AS hit
JOIN motif_labels(getvariable('chunk').label) USING (motif_id)
LEFT JOIN chromosome_ends USING (sample, chr)
ASOF JOIN score_cuts ON hit.sample = score_cuts.sample AND hit.value >= score_cuts.value
WHERE chr BETWEEN getvariable('chunk').first AND getvariable('chunk').last AND "end" > 0
    AND start < coalesce(length, start + 1)
ORDER BY
    chr, greatest(start, 0), "end", motif_id, hit.sample, peak_id, start_untrimmed,
    hit_coefficient, hit_similarity, hit_importance, hit_importance_sq;
