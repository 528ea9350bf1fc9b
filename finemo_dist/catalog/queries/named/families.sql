-- Question: which motifs resemble each other?
-- Contract: one row per motif. A family is the motifs that a chain of cosines of 0.75 or more connects:
-- of trimmed CWMs, at the best shift, on either strand. Hits of one member may be sites of another. By
-- family, largest first, then in the order of the run.
-- Column: family: number of the family, from 0, in the order of the run
-- Column: n_motifs: motifs of the family
-- Column: motif_name: name of the motif
-- Column: similar_to: the motif that resembles it most
-- Column: similarity: cosine with that motif; null where there is no other
-- Column: display_name: name of the motif that people read
SELECT family, n_motifs, motif_name, similar_to, similarity, display_name
FROM motif_families
JOIN (
    SELECT motif_name, any_value(display_name) AS display_name FROM motifs GROUP BY motif_name
) AS named USING (motif_name)
ORDER BY n_motifs DESC, family, motif_order
