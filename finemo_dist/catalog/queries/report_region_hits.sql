-- Question: which hits are in one region?
-- Contract: (motif_name, strand, start, end, coefficient, similarity), places counted from the
-- first base of the region, in a total order.
SELECT
    hits.motif_name,
    hits.strand,
    hits.start - peaks.start,
    hits."end" - peaks.start,
    hits.hit_coefficient,
    hits.hit_similarity
FROM hits
JOIN peaks ON peaks.sample = hits.sample AND peaks.peak_id = hits.peak_id
WHERE hits.sample = $sample AND hits.peak_id = $peak_id
ORDER BY hits.start, hits."end", hits.motif_id, hits.start_untrimmed, hits.hit_coefficient;
