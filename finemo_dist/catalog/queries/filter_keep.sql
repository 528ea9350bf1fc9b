-- Question: which hits are of other motifs than those to keep?
-- Contract: ("row") of remaining of no motif in the list $names.
SELECT "row" FROM remaining WHERE NOT list_contains($names, motif_name);
