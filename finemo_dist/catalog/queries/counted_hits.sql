-- Question: how often was each motif found in each sample that has hits of it?
-- Contract: makes the view counted_hits: one row per sample and motif with a hit; counts are of committed
-- hits. No order.
-- The regions of a motif are bits, 16,384 regions a string: one bit for each region and motif, and
-- none where n_regions is not asked for, because an aggregate that nobody asks for is not made,
-- unless it is DISTINCT. The mean is of decimals, because a sum of floating-point numbers depends on
-- their order.
CREATE VIEW counted_hits AS
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
)
SELECT
    sample,
    motif_name,
    sum(n_hits)::BIGINT AS n_hits,
    sum(n_forward)::BIGINT AS n_forward,
    sum(n_reverse)::BIGINT AS n_reverse,
    sum(n_regions)::BIGINT AS n_regions,
    sum(similarity)::DOUBLE / sum(n_similarities) AS mean_similarity
FROM blocks
GROUP BY ALL;
