-- Question: which motifs are found in the same regions?
-- Contract: (motif_name_a, motif_name_b, regions with both, with a, with b, all regions, odds
-- ratio), motif_name_a < motif_name_b, pairs found together at least once, sorted. Half a region is
-- added to each cell of the odds ratio, so that it is finite (Haldane 1956, Anscombe 1956).
WITH present AS (
    SELECT DISTINCT motif_name, sample, peak_id FROM hits
),
totals AS (
    SELECT motif_name, count(*) AS n FROM present GROUP BY motif_name
),
together AS (
    SELECT a.motif_name AS motif_name_a, b.motif_name AS motif_name_b, count(*) AS n_both
    FROM present AS a
    JOIN present AS b
        ON a.sample = b.sample AND a.peak_id = b.peak_id AND a.motif_name < b.motif_name
    GROUP BY a.motif_name, b.motif_name
)
SELECT
    motif_name_a,
    motif_name_b,
    n_both,
    a.n AS n_a,
    b.n AS n_b,
    every.n AS n_regions,
    (n_both + 0.5) * (every.n - a.n - b.n + n_both + 0.5)
    / ((a.n - n_both + 0.5) * (b.n - n_both + 0.5)) AS odds_ratio
FROM together
JOIN totals AS a ON a.motif_name = motif_name_a
JOIN totals AS b ON b.motif_name = motif_name_b
CROSS JOIN (SELECT count(*) AS n FROM peaks_qc) AS every
ORDER BY motif_name_a, motif_name_b;
