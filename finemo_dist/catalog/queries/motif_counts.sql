-- Question: how often was each motif found in each sample?
-- Contract: one row per sample and motif that it was called with, motifs without a hit included, both strands
-- together; counts are of committed hits, not of unique ones, by counted_hits.sql. No order.
CREATE VIEW motif_counts AS
SELECT
    motif.sample,
    motif.motif_name,
    coalesce(counted.n_hits, 0) AS n_hits,
    coalesce(counted.n_forward, 0) AS n_forward,
    coalesce(counted.n_reverse, 0) AS n_reverse,
    coalesce(counted.n_regions, 0) AS n_regions,
    counted.mean_similarity
FROM (SELECT DISTINCT sample, motif_name FROM sample_motifs) AS motif
LEFT JOIN counted_hits AS counted USING (sample, motif_name);
