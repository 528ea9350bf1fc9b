-- Question: what do the parts hold that no current compaction replaces?
-- Contract: the columns of hits, with motifs as their own set counts and names them. No order.
-- The sample comes from the list of committed files, never from the spelling of a path, and a
-- filter on it skips the files of other samples.
CREATE VIEW part_rows AS
SELECT
    part_files.sample,
    chr,
    start,
    "end",
    start_untrimmed,
    end_untrimmed,
    motif_name,
    hit_coefficient,
    hit_coefficient_global,
    hit_similarity,
    hit_similarity AS hit_correlation,
    hit_importance,
    hit_importance_sq,
    strand,
    peak_name,
    peak_id,
    motif_id,
    chr_id,
    score_of(hit_coefficient, hit_coefficient_global) AS hit_score
FROM hit_parts
JOIN part_files USING (filename);
