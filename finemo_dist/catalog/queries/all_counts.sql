-- Question: how often was each motif found in each sample that has hits of it?
-- Contract: the columns of known_counts, by sample and motif.
SELECT sample, motif_name, n_hits, n_forward, n_reverse, n_regions, mean_similarity
FROM counted_hits
ORDER BY sample, motif_name;
