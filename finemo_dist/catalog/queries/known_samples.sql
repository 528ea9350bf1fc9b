-- Question: of how many samples are the counts of motifs known?
-- Contract: one number.
SELECT count(DISTINCT sample) FROM known_counts;
