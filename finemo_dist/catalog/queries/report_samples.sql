-- Question: how good is each sample?
-- Contract: (sample, regions, committed regions, hits, regions without a hit, not converged,
-- largest gap, median nll), by sample; the median is null without committed regions.
SELECT
    samples.sample,
    samples.n_regions,
    samples.n_regions_committed,
    samples.n_hits,
    coalesce(found.n_without_hit, 0),
    samples.n_not_converged,
    samples.max_gap,
    found.median_nll
FROM samples
LEFT JOIN (
    SELECT
        sample,
        count(*) FILTER (WHERE n_hits = 0) AS n_without_hit,
        median(nll) AS median_nll
    FROM peaks_qc
    GROUP BY sample
) AS found USING (sample)
ORDER BY samples.sample;
