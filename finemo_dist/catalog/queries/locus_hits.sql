-- Question: which hits do some regions have?
-- Contract: one row per hit of the regions, which are pairs in the lists $sample and $peak_id, by
-- sample, region, place and motif: a total order.
SELECT
    hits.sample,
    hits.peak_id,
    hits.start,
    hits."end",
    hits.start_untrimmed,
    hits.strand,
    hits.motif_id,
    hits.motif_name,
    hits.hit_coefficient,
    hits.hit_coefficient_global,
    hits.hit_similarity
FROM hits
JOIN (
    SELECT
        unnest($sample::VARCHAR[]) AS sample,
        unnest($peak_id::BIGINT[]) AS peak_id
) AS wanted
    ON wanted.sample = hits.sample AND wanted.peak_id = hits.peak_id
ORDER BY
    hits.sample, hits.peak_id, hits.start, hits."end", hits.motif_id, hits.hit_coefficient;
