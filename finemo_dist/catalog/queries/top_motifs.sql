-- Question: which motifs have the most hits?
-- Contract: (name, n_hits) of three motifs, by the factor where it is known; most hits first.
SELECT
    coalesce(any_value(motifs.tf), hits.motif_name) AS name,
    count(*) AS n_hits
FROM hits
JOIN motifs USING (motif_id)
GROUP BY hits.motif_name
ORDER BY n_hits DESC, hits.motif_name
LIMIT 3;
