-- Question: which regions are the rows of a sample's matrix?
-- Contract: the variable chunk has the field sample.
-- (peak_id, chr, start, end, peak_name), by peak_id.
SELECT
    peak_id,
    coalesce(chr, '') AS chr,
    peak_region_start AS start,
    peak_region_start + region_width AS "end",
    coalesce(peak_name, '.') AS peak_name
FROM peaks_qc
JOIN samples USING (sample)
WHERE sample = getvariable('chunk').sample
ORDER BY peak_id;
