-- Question: how often does each cluster of motifs occur in each sample?
-- Contract: one row per sample and cluster that it was called with a motif of, those without a hit
-- included. A motif without a cluster is one of its own, under its name. A region counts once,
-- whatever the motifs of the cluster in it. By sample, then in the order of the run.
-- Parameter: sample (sample, all): only this sample
-- Column: sample: name of the sample
-- Column: cluster: cluster of the annotation, or name of the motif
-- Column: n_motifs: motifs of the cluster that the sample was called with
-- Column: n_hits: hits, one in every region that it was called in
-- Column: n_regions: regions with at least one hit
-- Column: hits_per_region: hits over regions of the sample
WITH
labelled AS (
    SELECT motif_id, label, min(motif_id) OVER (PARTITION BY label) AS first_id
    FROM motif_labels('cluster')
),
called AS (
    SELECT sample, label, any_value(first_id) AS first_id, count(DISTINCT motif_name) AS n_motifs
    FROM sample_motifs
    JOIN labelled USING (motif_id)
    WHERE getvariable('parameters').sample::VARCHAR IS NULL
        OR sample = getvariable('parameters').sample::VARCHAR
    GROUP BY sample, label
),
counted AS (
    SELECT sample, label, count(*) AS n_hits, count(DISTINCT peak_id) AS n_regions
    FROM hits
    JOIN labelled USING (motif_id)
    WHERE getvariable('parameters').sample::VARCHAR IS NULL
        OR sample = getvariable('parameters').sample::VARCHAR
    GROUP BY sample, label
)
SELECT
    called.sample,
    called.label AS cluster,
    called.n_motifs,
    coalesce(counted.n_hits, 0) AS n_hits,
    coalesce(counted.n_regions, 0) AS n_regions,
    coalesce(counted.n_hits, 0) / nullif(n_regions_committed, 0)::DOUBLE AS hits_per_region
FROM called
JOIN samples USING (sample)
LEFT JOIN counted ON counted.sample = called.sample AND counted.label = called.label
ORDER BY called.sample, called.first_id
