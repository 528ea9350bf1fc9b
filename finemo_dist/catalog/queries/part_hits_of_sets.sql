-- Question: as part_hits.sql, for a run of several motif sets.
-- Contract: motifs are counted over all sets, and their names lead with that of their set.
CREATE VIEW part_hits AS
SELECT
    part_files.sample,
    chr,
    start,
    "end",
    start_untrimmed,
    end_untrimmed,
    part_files.name_prefix || motif_name AS motif_name,
    hit_coefficient,
    hit_coefficient_global,
    hit_similarity,
    hit_similarity AS hit_correlation,
    hit_importance,
    hit_importance_sq,
    strand,
    peak_name,
    peak_id,
    motif_id + part_files.first_motif_id AS motif_id,
    chr_id
FROM hit_parts
JOIN part_files USING (filename);
