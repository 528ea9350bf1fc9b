-- Question: in which regions are the strongest hits of each motif?
-- Contract: one row per motif and region, at most `limit` of each motif. By motif in the order of the
-- run, then the largest coefficient of a hit in the region, largest first, sample and peak.
-- Parameter: limit (integer 1 to 1000000, 1): regions of each motif at most
-- Column: motif_name: name of the motif
-- Column: sample: name of the sample
-- Column: peak_id: row of the peak in the peaks file, from 0
-- Column: chr: chromosome; null where regions have no coordinates
-- Column: start: first base of the region; may be negative
-- Column: end: base after the last of the region
-- Column: peak_name: name of the peak
-- Column: coefficient: the largest hit_coefficient_global of the motif in the region
-- Column: display_name: name of the motif that people read
WITH best AS (
    SELECT
        motif_name,
        sample,
        peak_id,
        min(motif_id) AS motif_id,
        max(hit_coefficient_global) AS coefficient
    FROM hits
    GROUP BY motif_name, sample, peak_id
    QUALIFY row_number() OVER (
        PARTITION BY motif_name ORDER BY max(hit_coefficient_global) DESC, sample, peak_id
    ) <= getvariable('parameters').limit::BIGINT
)
SELECT
    best.motif_name,
    best.sample,
    best.peak_id,
    peaks.chr,
    peaks.start,
    peaks."end",
    peaks.name AS peak_name,
    best.coefficient,
    motifs.display_name
FROM best
JOIN peaks ON peaks.sample = best.sample AND peaks.peak_id = best.peak_id
JOIN motifs USING (motif_id)
-- Both strands of a motif are beside each other, so that the motif is half the number.
ORDER BY best.motif_id // 2, best.coefficient DESC, best.sample, best.peak_id
