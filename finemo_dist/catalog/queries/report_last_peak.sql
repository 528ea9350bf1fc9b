-- Question: what is the largest peak_id of a sample?
-- Contract: one number, 0 without committed regions.
SELECT coalesce(max(peak_id), 0) FROM peaks_qc WHERE sample = $sample;
