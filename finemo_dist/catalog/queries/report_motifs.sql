-- Question: what is known about each motif?
-- Contract: one row per motif, both strands as one, in the order of the run: (motif_name, tf, family,
-- cluster, display_name, is_palindrome); null where there is no annotation.
SELECT
    motif_name,
    any_value(tf),
    any_value(family),
    any_value(cluster),
    any_value(display_name),
    coalesce(bool_or(is_palindrome), false)
FROM motifs
GROUP BY motif_name
ORDER BY min(motif_id);
