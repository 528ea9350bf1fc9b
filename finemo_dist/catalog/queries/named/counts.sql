-- Question: how often does each motif occur in each sample?
-- Contract: the view motif_counts with rates, one row per sample and motif that it was called with,
-- those without a hit included. Every hit counts in every region it was called in. Rates are over all committed
-- regions and their full width, so that a base that two regions cover counts twice, as do its hits.
-- By sample, then in the order of the run.
-- Parameter: sample (sample, all): only this sample
-- Parameter: motif (motif, all): only this motif
-- Column: sample: name of the sample
-- Column: motif_name: name of the motif
-- Column: n_hits: hits, one in every region that it was called in
-- Column: n_regions: regions with at least one hit
-- Column: hits_per_region: hits over regions of the sample
-- Column: hits_per_megabase: hits over bases of the regions of the sample, times 1e6
-- Column: mean_similarity: mean hit_similarity of the hits; null without hits
-- Column: display_name: name of the motif that people read
SELECT
    counts.sample,
    counts.motif_name,
    counts.n_hits,
    counts.n_regions,
    counts.n_hits / nullif(n_regions_committed, 0)::DOUBLE AS hits_per_region,
    1e6::DOUBLE * counts.n_hits / nullif(n_regions_committed * region_width, 0)
        AS hits_per_megabase,
    counts.mean_similarity,
    named.display_name
FROM motif_counts AS counts
JOIN samples USING (sample)
JOIN (
    SELECT motif_name, min(motif_id) AS motif, any_value(display_name) AS display_name
    FROM motifs
    GROUP BY motif_name
) AS named
    USING (motif_name)
WHERE (
        getvariable('parameters').sample::VARCHAR IS NULL
        OR counts.sample = getvariable('parameters').sample::VARCHAR
    )
    AND (
        getvariable('parameters').motif::VARCHAR IS NULL
        OR counts.motif_name = getvariable('parameters').motif::VARCHAR
    )
ORDER BY counts.sample, named.motif
