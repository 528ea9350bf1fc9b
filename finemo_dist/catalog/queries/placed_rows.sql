-- Question: what do current files by place hold?
-- Contract: the columns of compact_rows, of all samples. No order.
CREATE VIEW placed_rows AS
SELECT
    sample,
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
    score_of(hit_coefficient, hit_coefficient_global) AS hit_score,
    is_unique,
    is_primary
FROM place_parts;
