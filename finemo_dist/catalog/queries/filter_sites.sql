-- Question: where do the remaining hits lie in their regions?
-- Contract: (peak_id, motif_id, offset, is_reverse), by peak.
SELECT
    remaining.peak_id,
    motif_id,
    start_untrimmed - peaks.start AS "offset",
    strand = '-' AS is_reverse
FROM remaining
JOIN peaks USING (sample, peak_id)
ORDER BY remaining.peak_id, start_untrimmed, motif_id;
