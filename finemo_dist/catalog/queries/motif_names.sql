-- Question: which motifs does the run have?
-- Contract: (motif_name), each once, in the order of the run.
SELECT motif_name FROM motifs GROUP BY motif_name ORDER BY min(motif_id);
