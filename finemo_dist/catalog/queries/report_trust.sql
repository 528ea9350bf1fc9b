-- Question: how far can the hits of each motif be believed, all samples together?
-- Contract: (motif_name, hits one a place, estimated false share of all its hits, most similar other
-- motif, its cosine, number of the family), those with most false hits first; no row without q.
SELECT
    motif_name,
    sum(n_hits)::BIGINT AS n_hits,
    sum(false_share * n_hits) / nullif(sum(n_hits) FILTER (false_share IS NOT NULL), 0)
        AS false_share,
    arg_max(similar_to, similarity) AS similar_to,
    max(similarity) AS similarity,
    min(family) AS family
FROM motif_confidence
WHERE EXISTS (FROM motif_steps)
GROUP BY motif_name
ORDER BY false_share DESC NULLS LAST, motif_name;
