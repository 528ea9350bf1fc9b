-- Question: which regions have most of a motif?
-- Contract: one row per region with a hit of the motif. By the summed coefficient, largest first,
-- then sample and peak.
-- Parameter: motif (motif, required): the motif
-- Parameter: sample (sample, all): only regions of this sample
-- Parameter: limit (integer 1 to 1000000, 20): rows at most
-- Column: sample: name of the sample
-- Column: chr: chromosome; null where regions have no coordinates
-- Column: start: first base of the region; may be negative
-- Column: end: base after the last of the region
-- Column: peak_name: name of the peak
-- Column: peak_id: row of the peak in the peaks file, from 0
-- Column: n_hits: hits of the motif in the region
-- Column: coefficient: their hit_coefficient_global summed
WITH found AS (
    SELECT
        sample,
        peak_id,
        count(*) AS n_hits,
        -- In order, so that the sum does not depend on that of the rows.
        sum(hit_coefficient_global::DOUBLE ORDER BY hit_coefficient_global) AS coefficient
    FROM hits
    WHERE motif_name = getvariable('parameters').motif::VARCHAR
        AND (
            getvariable('parameters').sample::VARCHAR IS NULL
            OR sample = getvariable('parameters').sample::VARCHAR
        )
    GROUP BY sample, peak_id
    ORDER BY coefficient DESC, sample, peak_id
    LIMIT getvariable('parameters').limit::BIGINT
)
SELECT sample, chr, start, "end", name AS peak_name, peak_id, n_hits, coefficient
FROM found
JOIN peaks USING (sample, peak_id)
ORDER BY coefficient DESC, sample, peak_id
