-- Question: the rows of ordered.sql, with further columns.
-- Contract: as ordered.sql; the list chunk.further names columns that follow, in the order of hit_amplitude, decoy_q,
-- decoy_q_pooled, display_name and cluster. It may name hit_score, which is there in any case.
SELECT
    COLUMNS(
        lambda c: (
            c NOT IN ('hit_amplitude', 'decoy_q', 'decoy_q_pooled', 'display_name', 'cluster')
            OR list_contains(getvariable('chunk').further, c)
        )
    )
FROM (
    SELECT hit.* EXCLUDE (cluster), display_name, cluster
    FROM with_confidence(getvariable('chunk').table) AS hit
    JOIN (SELECT motif_id, display_name FROM motifs) USING (motif_id)
    WHERE sample = getvariable('chunk').sample
        AND chr_id BETWEEN getvariable('chunk').first AND getvariable('chunk').last
)
ORDER BY
    chr_id, CASE WHEN chr IS NULL THEN peak_id END, start, "end", motif_id, peak_id,
    start_untrimmed, hit_coefficient, hit_similarity, hit_importance, hit_importance_sq;
