-- Question: which regions have no hit?
-- Contract: one row per committed region without a hit, or without one of the motif, of samples that
-- it is called in. By sample and peak.
-- Parameter: sample (sample, all): only regions of this sample
-- Parameter: motif (motif, all): regions without a hit of this motif, whatever else they have
-- Column: sample: name of the sample
-- Column: chr: chromosome; null where regions have no coordinates
-- Column: start: first base of the region; may be negative
-- Column: end: base after the last of the region
-- Column: peak_name: name of the peak
-- Column: peak_id: row of the peak in the peaks file, from 0
-- Column: nll: half the squared residual over the region width: what no motif explains
SELECT
    sample,
    chr,
    peak_region_start AS start,
    peak_region_start + region_width AS "end",
    peak_name,
    peak_id,
    nll
FROM peaks_qc
JOIN samples USING (sample)
WHERE (
        getvariable('parameters').sample::VARCHAR IS NULL
        OR sample = getvariable('parameters').sample::VARCHAR
    )
    AND (
        CASE
            WHEN getvariable('parameters').motif::VARCHAR IS NULL THEN peaks_qc.n_hits = 0
            ELSE sample IN (
                SELECT sample_motifs.sample FROM sample_motifs
                WHERE motif_name = getvariable('parameters').motif::VARCHAR
            )
        END
    )
    AND NOT EXISTS (
        SELECT 1
        FROM hits
        WHERE hits.sample = peaks_qc.sample
            AND hits.peak_id = peaks_qc.peak_id
            AND hits.motif_name = getvariable('parameters').motif::VARCHAR
    )
ORDER BY sample, peak_id
