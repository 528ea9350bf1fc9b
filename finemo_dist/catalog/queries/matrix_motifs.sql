-- Question: which motifs are the columns of a matrix?
-- Contract: one row per motif, in the order of the run; annotation as in the view motifs.
SELECT
    motif_name,
    any_value(motif_name_orig) AS motif_name_orig,
    any_value(motif_scale) AS motif_scale,
    any_value("lambda") AS "lambda",
    any_value(tf) AS tf,
    any_value(family) AS family,
    any_value(cluster) AS cluster
FROM motifs
GROUP BY motif_name
ORDER BY min(motif_id);
