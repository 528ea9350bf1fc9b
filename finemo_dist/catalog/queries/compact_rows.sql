-- Question: what do current compacted files hold?
-- Contract: the columns of hits, with motifs as their own set counts and names them, then is_unique
-- and is_primary. No order.
-- Sample and chromosome come from the list of files, so that a filter on them opens no other file.
CREATE VIEW compact_rows AS
SELECT
    compact_files.sample,
    compact_files.chr,
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
    compact_files.chr_id,
    score_of(hit_coefficient, hit_coefficient_global) AS hit_score,
    is_unique,
    is_primary
FROM compact_parts
JOIN compact_files USING (filename);
