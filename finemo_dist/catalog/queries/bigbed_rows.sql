-- Question: the hits on a range of chromosomes, as records of a bigBed of six standard fields.
-- Contract: the variable chunk has the fields table, label, first and last (chr).
-- (chr, start, end, rest); rest holds the further fields, tab by tab, those that exports/bigbed.py
-- describes. Null is a dot; a space is an underscore, because some readers part fields at spaces.
-- Order as copy_places_bed.sql.
SELECT
    chr,
    greatest(start, 0) AS start,
    least("end", coalesce(length, "end")) AS "end",
    concat_ws(
        chr(9),
        replace(cell(label), ' ', '_'),
        greatest(0, least(1000, round(1000 * hit_similarity::DOUBLE)))::INTEGER,
        strand,
        hit_coefficient,
        hit_coefficient_global,
        hit_similarity,
        hit_importance,
        coalesce(replace(cell(peak_name), ' ', '_'), '.'),
        peak_id,
        replace(cell(sample), ' ', '_')
    ) AS rest
FROM query_table(getvariable('chunk').table)
JOIN motif_labels(getvariable('chunk').label) USING (motif_id)
LEFT JOIN chromosome_ends USING (sample, chr)
WHERE chr BETWEEN getvariable('chunk').first AND getvariable('chunk').last AND "end" > 0
    AND start < coalesce(length, start + 1)
ORDER BY
    chr, greatest(start, 0), "end", motif_id, sample, peak_id, start_untrimmed,
    hit_coefficient, hit_similarity, hit_importance, hit_importance_sq;
