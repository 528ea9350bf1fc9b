-- Question: as counted_hits.sql, where the counts of all samples are known.
-- Contract: as there; no part is read.
CREATE VIEW counted_hits AS
FROM known_counts
WHERE motif_name IS NOT NULL;
