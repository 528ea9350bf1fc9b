-- Question: how often was each motif found in each sample?
-- Contract: one row per sample and motif of its set, motifs without a hit included, both strands
-- together; counts are of committed hits, not of unique ones. The mean is of decimals, because a
-- sum of floating-point numbers depends on their order. No order.
CREATE VIEW motif_counts AS
WITH counted AS (
    SELECT
        sample,
        motif_name,
        count(*) AS n_hits,
        count(*) FILTER (strand = '+') AS n_forward,
        count(*) FILTER (strand = '-') AS n_reverse,
        count(DISTINCT peak_id) AS n_regions,
        avg(TRY_CAST(hit_similarity AS DECIMAL(18, 9))) AS mean_similarity
    FROM hits
    GROUP BY sample, motif_name
)
SELECT
    samples.sample,
    motif.motif_name,
    coalesce(counted.n_hits, 0) AS n_hits,
    coalesce(counted.n_forward, 0) AS n_forward,
    coalesce(counted.n_reverse, 0) AS n_reverse,
    coalesce(counted.n_regions, 0) AS n_regions,
    counted.mean_similarity
FROM samples
JOIN (SELECT DISTINCT motif_set, motif_name FROM motifs) AS motif
    ON motif.motif_set = samples.motif_set
LEFT JOIN counted ON counted.sample = samples.sample AND counted.motif_name = motif.motif_name;
