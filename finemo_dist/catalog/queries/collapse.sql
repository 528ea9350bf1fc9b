-- Question: which hits does no overlapping hit beat?
-- Contract: makes the table macro primary_of(hits_table, overlap_ppm, widest): the rows of a table
-- or view of hits, by its name, that are primary.
--   Two hits overlap when they share at least one base, and at least overlap_ppm millionths of
--   the mean of their lengths: integers throughout, so that a limit is met exactly or not.
--   The larger hit_similarity beats; ties go to the larger hit_coefficient, then the smaller start,
--   motif name and strand. The columns after these only make the order total; the last is "row",
--   a number of the caller's that tells rows apart which agree in all else.
--   Hits of different samples or chromosomes do not overlap, nor, without a chromosome, hits of
--   different regions. A hit that is beaten still beats others.
--   widest is the length of the longest hit: no hit may be longer. No order.
-- Every hit is compared with those that start in its reach: both lie in the bin of 128 bases that
-- holds the later start, so that the join is one of equal bins and spills like any other.
CREATE MACRO primary_of(hits_table, overlap_ppm, widest) AS TABLE
WITH rival AS (
    SELECT
        *,
        CASE WHEN chr IS NULL THEN peak_id ELSE 0 END AS region,
        unnest(range((start - widest + 1) // 128, ("end" - 1) // 128 + 1)) AS bin
    FROM query_table(hits_table)
)
SELECT hit.*
FROM query_table(hits_table) AS hit
ANTI JOIN rival
    ON hit.sample = rival.sample
    AND hit.chr IS NOT DISTINCT FROM rival.chr
    AND CASE WHEN hit.chr IS NULL THEN hit.peak_id ELSE 0 END = rival.region
    AND hit.start // 128 = rival.bin
    AND hit.start < rival."end"
    AND rival.start < hit."end"
    AND 2000000 * (least(hit."end", rival."end") - greatest(hit.start, rival.start))
        >= overlap_ppm * (hit."end" - hit.start + rival."end" - rival.start)
    AND (
        rival.hit_similarity > hit.hit_similarity
        OR (
            rival.hit_similarity = hit.hit_similarity
            AND row(
                -rival.hit_coefficient, rival.start, rival.motif_name, rival.strand,
                -rival.hit_coefficient_global, rival."end", rival.peak_id,
                rival.start_untrimmed, rival."row"
            ) < row(
                -hit.hit_coefficient, hit.start, hit.motif_name, hit.strand,
                -hit.hit_coefficient_global, hit."end", hit.peak_id,
                hit.start_untrimmed, hit."row"
            )
        )
    );
