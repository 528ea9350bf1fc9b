-- Question: where are the hits of a sample that rules dropped?
-- Contract: (peak_id, motif_name, offset of the untrimmed CWM in the region, is_reverse). A total order.
SELECT
    hits_dropped.peak_id,
    motif_name,
    start_untrimmed - peaks.start AS "offset",
    strand = '-' AS is_reverse
FROM hits_dropped
JOIN peaks USING (sample, peak_id)
WHERE sample = $sample
ORDER BY ALL;
