-- Question: how many hits does each largest q keep, all samples together?
-- Contract: (motif_name, null for the pooled q; largest q, hits, hits kept, estimated false share of
-- these), by motif and q.
SELECT
    motif_name,
    largest_q,
    sum(n_hits)::BIGINT AS n_hits,
    sum(n_kept)::BIGINT AS n_kept,
    sum(false_share * n_kept) / nullif(sum(n_kept), 0) AS false_share
FROM confidence_by_q
GROUP BY motif_name, largest_q
ORDER BY motif_name, largest_q;
