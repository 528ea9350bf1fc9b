-- Question: how many columns of a matrix stand before those of a motif set?
-- Contract: one number: motifs, both strands as one, of the sets shown before $motif_set.
SELECT count(DISTINCT motif_name)
FROM motifs
WHERE motif_id < (SELECT min(motif_id) FROM motifs WHERE motif_set = $motif_set);
