-- Question: which hits are among the least important of their motif?
-- Contract: ("row") of remaining whose hit_importance is below the $value quantile of its motif.
SELECT "row"
FROM remaining
JOIN (
    SELECT motif_name, quantile_disc(hit_importance, $value::DOUBLE) AS least
    FROM remaining
    GROUP BY motif_name
) USING (motif_name)
WHERE hit_importance < least;
