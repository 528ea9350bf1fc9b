-- Question: how often does each motif occur in each sample?
-- Contract: one row per sample and motif of its set, those without a hit included. Rates are over
-- all committed regions and their full width: a base that two regions cover counts twice, as do the
-- hits on it. By sample, then in the order of the run.
-- Parameter: sample (sample, all): only this sample
-- Parameter: motif (motif, all): only this motif
-- Column: sample: name of the sample
-- Column: motif_name: name of the motif
-- Column: n_hits: hits
-- Column: n_regions: regions with at least one hit
-- Column: hits_per_region: hits over regions of the sample
-- Column: hits_per_megabase: hits over bases of the regions of the sample, times 1e6
WITH
named AS (
    SELECT motif_set, motif_name, min(motif_id) AS motif
    FROM motifs
    WHERE getvariable('parameters').motif::VARCHAR IS NULL
        OR motif_name = getvariable('parameters').motif::VARCHAR
    GROUP BY motif_set, motif_name
),
counted AS (
    -- A region is one of few rows of its part, so that this first step holds the distinct ones.
    SELECT sample, motif_name, sum(n)::BIGINT AS n_hits, count(*) AS n_regions
    FROM (SELECT sample, motif_name, peak_id, count(*) AS n FROM hits GROUP BY ALL)
    WHERE (
            getvariable('parameters').sample::VARCHAR IS NULL
            OR sample = getvariable('parameters').sample::VARCHAR
        )
        AND (
            getvariable('parameters').motif::VARCHAR IS NULL
            OR motif_name = getvariable('parameters').motif::VARCHAR
        )
    GROUP BY sample, motif_name
)
SELECT
    samples.sample,
    named.motif_name,
    coalesce(counted.n_hits, 0) AS n_hits,
    coalesce(counted.n_regions, 0) AS n_regions,
    coalesce(counted.n_hits, 0) / nullif(n_regions_committed, 0)::DOUBLE AS hits_per_region,
    1e6::DOUBLE * coalesce(counted.n_hits, 0) / nullif(n_regions_committed * region_width, 0)
        AS hits_per_megabase
FROM samples
JOIN named ON named.motif_set = samples.motif_set
LEFT JOIN counted ON counted.sample = samples.sample AND counted.motif_name = named.motif_name
WHERE getvariable('parameters').sample::VARCHAR IS NULL
    OR samples.sample = getvariable('parameters').sample::VARCHAR
ORDER BY samples.sample, named.motif
