-- Question: which hits does a region have?
-- Contract: one row per hit of the region, by start, end and motif: a total order.
-- Parameter: sample (sample, required): the sample
-- Parameter: peak_id (integer 0 to 4294967295, required): row of the peak in the peaks file, from 0
-- Column: sample: name of the sample
-- Column: chr: chromosome; null where regions have no coordinates
-- Column: start: first base of the trimmed motif, 0-based
-- Column: end: base after the last of the trimmed motif
-- Column: strand: + or -
-- Column: motif_name: name of the motif
-- Column: hit_coefficient: coefficient of the hit, comparable within the region
-- Column: hit_similarity: cosine of the contributions with the trimmed CWM
-- Column: offset: first base of the trimmed motif, counted from the first of the region
-- Column: display_name: name of the motif that people read
SELECT
    hits.sample,
    hits.chr,
    hits.start,
    hits."end",
    hits.strand,
    hits.motif_name,
    hits.hit_coefficient,
    hits.hit_similarity,
    hits.start - peaks.start AS "offset",
    motifs.display_name
FROM hits
JOIN peaks ON peaks.sample = hits.sample AND peaks.peak_id = hits.peak_id
JOIN motifs USING (motif_id)
WHERE hits.sample = getvariable('parameters').sample::VARCHAR
    AND hits.peak_id = getvariable('parameters').peak_id::BIGINT
ORDER BY hits.start, hits."end", hits.motif_id, hits.start_untrimmed, hits.hit_coefficient
