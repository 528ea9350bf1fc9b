-- Question: how often was each motif found in each sample?
-- Contract: one row per sample and motif that it was called with, motifs without a hit included, both strands
-- together; counts are of committed hits, not of unique ones. The mean is of decimals, because a
-- sum of floating-point numbers depends on their order. No order.
-- The regions of a motif are bits, 16,384 regions a string: one bit for each region and motif, and
-- none where n_regions is not asked for, because an aggregate that nobody asks for is not made,
-- unless it is DISTINCT.
CREATE VIEW motif_counts AS
WITH
blocks AS (
    SELECT
        sample,
        motif_name,
        peak_id // 16384 AS block,
        count(*) AS n_hits,
        count(*) FILTER (strand = '+') AS n_forward,
        count(*) FILTER (strand = '-') AS n_reverse,
        bit_count(bitstring_agg((peak_id % 16384)::USMALLINT, 0, 16383)) AS n_regions,
        sum(TRY_CAST(hit_similarity AS DECIMAL(18, 9))) AS similarity,
        count(TRY_CAST(hit_similarity AS DECIMAL(18, 9))) AS n_similarities
    FROM hits
    GROUP BY ALL
),
counted AS (
    SELECT
        sample,
        motif_name,
        sum(n_hits)::BIGINT AS n_hits,
        sum(n_forward)::BIGINT AS n_forward,
        sum(n_reverse)::BIGINT AS n_reverse,
        sum(n_regions)::BIGINT AS n_regions,
        sum(similarity)::DOUBLE / sum(n_similarities) AS mean_similarity
    FROM blocks
    GROUP BY ALL
)
SELECT
    motif.sample,
    motif.motif_name,
    coalesce(counted.n_hits, 0) AS n_hits,
    coalesce(counted.n_forward, 0) AS n_forward,
    coalesce(counted.n_reverse, 0) AS n_reverse,
    coalesce(counted.n_regions, 0) AS n_regions,
    counted.mean_similarity
FROM (SELECT DISTINCT sample, motif_name FROM sample_motifs) AS motif
LEFT JOIN counted USING (sample, motif_name);
