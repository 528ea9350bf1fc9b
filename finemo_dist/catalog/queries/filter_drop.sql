-- Question: which hits are of the motifs to drop?
-- Contract: ("row") of remaining of a motif in the list $names.
SELECT "row" FROM remaining WHERE list_contains($names, motif_name);
