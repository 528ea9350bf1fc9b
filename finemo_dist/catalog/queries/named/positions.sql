-- Question: where in their regions do motifs lie, relative to the summit?
-- Contract: one row per motif and bin with a hit. The summit is the middle of the region; a hit lies
-- where its centre does, and counts in every region it was called in. Samples are pooled. In the
-- order of the run, then by position.
-- Parameter: motif (motif, all): only this motif
-- Parameter: sample (sample, all): only regions of this sample
-- Parameter: bin (integer 1 to 100000, 10): width of a bin, bases
-- Column: motif_name: name of the motif
-- Column: position: first base of the bin, relative to the middle of the region
-- Column: n_forward: hits on the + strand
-- Column: n_reverse: hits on the - strand
-- Column: display_name: name of the motif that people read
WITH
named AS (
    SELECT motif_name, min(motif_id) AS motif, any_value(display_name) AS display_name
    FROM motifs
    GROUP BY motif_name
),
counted AS (
    SELECT
        hits.motif_name,
        -- In doubled coordinates, where the middle of anything is whole.
        floor(
            (
                hits.start + hits."end" - region_width
                - CASE WHEN hits.chr IS NULL THEN 0 ELSE 2 * peak_region_start END
            ) / (2 * getvariable('parameters').bin::DOUBLE)
        )::BIGINT AS bin,
        count(*) FILTER (hits.strand = '+') AS n_forward,
        count(*) FILTER (hits.strand = '-') AS n_reverse
    FROM hits
    JOIN peaks_qc USING (sample, peak_id)
    JOIN samples USING (sample)
    WHERE (
            getvariable('parameters').sample::VARCHAR IS NULL
            OR hits.sample = getvariable('parameters').sample::VARCHAR
        )
        AND (
            getvariable('parameters').motif::VARCHAR IS NULL
            OR hits.motif_name = getvariable('parameters').motif::VARCHAR
        )
    GROUP BY ALL
)
SELECT
    motif_name,
    bin * getvariable('parameters').bin::BIGINT AS position,
    n_forward,
    n_reverse,
    display_name
FROM counted
JOIN named USING (motif_name)
ORDER BY motif, position
