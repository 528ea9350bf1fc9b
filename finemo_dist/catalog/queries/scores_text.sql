-- Question: how are scores written, as cells side by side?
-- Contract: scores, of the rows of the view rows, in their order; in a table of a run
-- hit_correlation says the same as hit_similarity.
SELECT
    concat_ws(
        chr(9), hit_coefficient, hit_coefficient_global, similarity, similarity, hit_importance,
        hit_importance_sq
    ) AS scores
FROM (SELECT *, hit_similarity::VARCHAR AS similarity FROM rows);
