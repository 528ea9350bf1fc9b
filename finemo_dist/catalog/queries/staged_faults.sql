-- Question: how many rows of an input are no hits?
-- Contract: one number: the rows that lack a place, a name or a coefficient.
SELECT count(*)
FROM staged
WHERE input = $input
    AND (
        start IS NULL OR "end" IS NULL OR start_untrimmed IS NULL OR end_untrimmed IS NULL
        OR motif_name IS NULL OR strand IS NULL OR peak_id IS NULL
        OR hit_coefficient IS NULL OR hit_coefficient_global IS NULL OR hit_similarity IS NULL
        OR hit_correlation IS NULL OR hit_importance IS NULL OR hit_importance_sq IS NULL
        OR isnan(hit_coefficient) OR isnan(hit_coefficient_global) OR isnan(hit_similarity)
        OR isnan(hit_correlation) OR isnan(hit_importance) OR isnan(hit_importance_sq)
    );
