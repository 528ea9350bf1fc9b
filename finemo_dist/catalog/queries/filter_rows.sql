-- Question: which of the remaining hits are of some motifs?
-- Contract: ("row") of remaining whose motif_id is in the list $motifs.
SELECT "row" FROM remaining WHERE list_contains($motifs, motif_id);
