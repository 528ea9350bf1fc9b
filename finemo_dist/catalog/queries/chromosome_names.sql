-- Question: on which chromosomes do regions lie?
-- Contract: (chr), each once, by name.
SELECT DISTINCT chr FROM peaks_qc WHERE chr IS NOT NULL ORDER BY chr;
