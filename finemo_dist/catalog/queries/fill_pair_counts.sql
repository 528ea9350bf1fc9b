-- Question: how many regions of a sample have hits of both motifs of a pair?
-- Contract: adds to pair_counts every pair that occurs, a motif with itself included.
-- The regions of a motif are bits, 16,384 regions a string, so that a pair is counted by a
-- conjunction: neither duplicates nor pairs of hits are ever made, and what is held is one bit for
-- each region and motif.
INSERT INTO pair_counts
WITH
named AS (
    SELECT motif_id, min(motif_id) OVER (PARTITION BY motif_name) AS motif FROM motifs
),
blocks AS MATERIALIZED (
    SELECT
        peak_id // 16384 AS block,
        motif,
        bitstring_agg((peak_id % 16384)::USMALLINT, 0, 16383) AS regions
    FROM hits
    JOIN named USING (motif_id)
    WHERE sample = $sample
    GROUP BY ALL
)
SELECT (SELECT kind FROM sample_kinds WHERE sample = $sample), a.motif, b.motif, sum(bit_count(a.regions & b.regions))::BIGINT AS n_regions
FROM blocks AS a
JOIN blocks AS b USING (block)
WHERE a.motif <= b.motif
GROUP BY ALL
HAVING n_regions > 0;
