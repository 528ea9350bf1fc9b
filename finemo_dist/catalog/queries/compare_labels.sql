-- Question: with which motifs was each sample called, under the names that are compared?
-- Contract: (label, sample), each once, in the order of the run; kind as in compare_scores.sql.
SELECT label, sample
FROM sample_motifs
JOIN motif_labels($kind) USING (motif_id)
JOIN (SELECT label, min(motif_id) AS first_id FROM motif_labels($kind) GROUP BY label)
    USING (label)
GROUP BY label, sample
ORDER BY min(first_id), label, sample;
