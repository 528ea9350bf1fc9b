-- Question: which chromosomes of the run occur in the user's intervals?
-- Contract: (chr), each once, by name.
SELECT DISTINCT chr FROM intervals SEMI JOIN peaks_qc USING (chr) ORDER BY chr;
