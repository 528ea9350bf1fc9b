-- Question: at how many sites do two samples agree?
-- Contract: one row per pair of samples with coordinates and one motif set; a site is a chromosome, start, end, motif
-- and strand of hits_unique. By Jaccard index, largest first, then by name.
-- Parameter: motif (motif, all): only sites of this motif
-- Column: sample_1: the sample whose name sorts first
-- Column: sample_2: the other sample
-- Column: n_both: sites called in both
-- Column: n_first: sites called in sample_1 alone
-- Column: n_second: sites called in sample_2 alone
-- Column: jaccard: n_both over sites called in either
WITH
sites AS MATERIALIZED (
    SELECT DISTINCT sample, chr, start, "end", motif_name, strand
    FROM hits
    WHERE chr IS NOT NULL
        AND (
            getvariable('parameters').motif::VARCHAR IS NULL
            OR motif_name = getvariable('parameters').motif::VARCHAR
        )
),
totals AS (
    SELECT samples.sample, samples.motif_set, count(sites.chr) AS n
    FROM samples
    LEFT JOIN sites USING (sample)
    WHERE has_coordinates
    GROUP BY samples.sample, samples.motif_set
),
shared AS (
    SELECT a.sample AS sample_1, b.sample AS sample_2, count(*) AS n
    FROM sites AS a
    JOIN sites AS b USING (chr, start, "end", motif_name, strand)
    WHERE a.sample < b.sample
    GROUP BY ALL
)
SELECT
    one.sample AS sample_1,
    two.sample AS sample_2,
    coalesce(shared.n, 0) AS n_both,
    one.n - n_both AS n_first,
    two.n - n_both AS n_second,
    n_both / nullif(one.n + two.n - n_both, 0)::DOUBLE AS jaccard
FROM totals AS one
JOIN totals AS two ON one.motif_set = two.motif_set AND one.sample < two.sample
LEFT JOIN shared ON shared.sample_1 = one.sample AND shared.sample_2 = two.sample
ORDER BY jaccard DESC NULLS LAST, sample_1, sample_2
