-- Question: which samples have q of their hits?
-- Contract: (sample), each once; by name.
SELECT sample FROM motif_steps UNION SELECT sample FROM pooled_steps ORDER BY sample;
