-- Question: what may people call each motif?
-- Contract: one row per motif, in the order of the run: (motif_name, display_name, tf, name_in_set,
-- motif_set); tf is null without an annotation.
SELECT
    motif_name, any_value(display_name), any_value(tf), any_value(name_in_set), any_value(motif_set)
FROM motifs
GROUP BY motif_name
ORDER BY min(motif_id);
