-- Question: as compact_hits.sql, for a run of several motif sets.
-- Contract: motifs are counted over all sets, and their names lead with that of their set.
CREATE VIEW compact_hits AS
SELECT
    compact_files.sample,
    compact_files.chr,
    start,
    "end",
    start_untrimmed,
    end_untrimmed,
    compact_files.name_prefix || motif_name AS motif_name,
    hit_coefficient,
    hit_coefficient_global,
    hit_similarity,
    hit_similarity AS hit_correlation,
    hit_importance,
    hit_importance_sq,
    strand,
    peak_name,
    peak_id,
    motif_id + compact_files.first_motif_id AS motif_id,
    compact_files.chr_id,
    is_unique,
    is_primary
FROM compact_parts
JOIN compact_files USING (filename);
