-- Question: how many hits of a motif do regions have that have any?
-- Contract: one row per sample, motif and number of hits that occurs. Every hit counts in every
-- region it was called in. By sample, then in the order of the run, then by number.
-- Parameter: sample (sample, all): only this sample
-- Parameter: motif (motif, all): only this motif
-- Column: sample: name of the sample
-- Column: motif_name: name of the motif
-- Column: n_hits: hits of the motif in a region, at least 1
-- Column: n_regions: regions with so many
-- Column: display_name: name of the motif that people read
WITH
named AS (
    SELECT motif_name, min(motif_id) AS motif, any_value(display_name) AS display_name
    FROM motifs
    GROUP BY motif_name
),
per_region AS (
    SELECT sample, motif_name, peak_id, count(*) AS n_hits
    FROM hits
    WHERE (
            getvariable('parameters').sample::VARCHAR IS NULL
            OR sample = getvariable('parameters').sample::VARCHAR
        )
        AND (
            getvariable('parameters').motif::VARCHAR IS NULL
            OR motif_name = getvariable('parameters').motif::VARCHAR
        )
    GROUP BY ALL
),
counted AS (
    SELECT sample, motif_name, n_hits, count(*) AS n_regions FROM per_region GROUP BY ALL
)
SELECT sample, motif_name, n_hits, n_regions, display_name
FROM counted
JOIN named USING (motif_name)
ORDER BY sample, motif, n_hits
