-- Question: which hits does no overlapping hit beat?
-- Contract: makes the macros overlap_of(one, other, overlap_ppm) and beats(one, other), the rule for
-- two hits of one place; and two table macros that ask it of a table or view of hits, by its name:
-- beaten_in for a table that is worked on as a whole, primary_of for a view of which a part is asked.
--   Two hits overlap when they share at least one base, and at least overlap_ppm millionths of
--   the mean of their lengths: integers throughout, so that a limit is met exactly or not.
--   The larger hit_similarity beats; ties go to the larger hit_coefficient, then the smaller start,
--   motif name and strand. The columns after these only make the order total; the last is "row",
--   a number of the caller's that tells hits apart which agree in all else.
--   Hits of different samples or chromosomes do not overlap, nor, without a chromosome, hits of
--   different regions. A hit that is beaten still beats others.
CREATE MACRO overlap_of(one, other, overlap_ppm) AS
    least(one."end", other."end") > greatest(one.start, other.start)
    AND 2000000 * (least(one."end", other."end") - greatest(one.start, other.start))
        >= overlap_ppm * (one."end" - one.start + other."end" - other.start);

CREATE MACRO beats(one, other) AS
    one.hit_similarity > other.hit_similarity
    OR (
        one.hit_similarity = other.hit_similarity
        AND row(
            -one.hit_coefficient, one.start, one.motif_name, one.strand,
            -one.hit_coefficient_global, one."end", one.peak_id, one.start_untrimmed, one."row"
        ) < row(
            -other.hit_coefficient, other.start, other.motif_name, other.strand,
            -other.hit_coefficient_global, other."end", other.peak_id, other.start_untrimmed,
            other."row"
        )
    );

-- beaten_in(hits_table, overlap_ppm): the "row" of each hit that is beaten, once; no other hit may
-- have it. No order.
-- Of two hits that share a base, the one that starts first reaches the start of the other. A hit
-- lies in the one or two bins of its own size that it touches, and is compared with the starts in
-- them, so that the join is one of equal bins and spills like any other. Sizes are powers of two
-- from 128 bases on, and a table of hits has one or two of them: starts are listed by each.
-- The hash of a bin alone is the key of the join. CASE keeps the comparison of what it is a hash of
-- out of the key: five columns, two of them names, take twice as long to be found.
CREATE MACRO beaten_in(hits_table, overlap_ppm) AS TABLE
WITH hit AS (
    SELECT
        sample, chr, CASE WHEN chr IS NULL THEN peak_id ELSE 0 END AS region,
        start, "end", start_untrimmed, motif_name, strand, hit_similarity, hit_coefficient,
        hit_coefficient_global, peak_id, "row",
        1::BIGINT << ceil(log2(greatest("end" - start, 128)))::INTEGER AS size,
        hash(sample, chr, region) AS place
    FROM query_table(hits_table)
), reaching AS (
    SELECT *, hash(place, size, start // size) AS bin
    FROM hit
    UNION ALL
    SELECT *, hash(place, size, ("end" - 1) // size) AS bin
    FROM hit
    WHERE ("end" - 1) // size > start // size
), reached AS (
    SELECT hit.* EXCLUDE (size), hash(place, sizes.size, start // sizes.size) AS bin
    FROM hit
    CROSS JOIN (SELECT DISTINCT size FROM hit) AS sizes
)
SELECT DISTINCT CASE WHEN beats(one, other) THEN other."row" ELSE one."row" END AS "row"
FROM reaching AS one
JOIN reached AS other
    ON one.bin = other.bin
    AND (one.start < other.start OR (one.start = other.start AND one."row" < other."row"))
    AND other.start < one."end"
    AND overlap_of(one, other, overlap_ppm)
    AND CASE
        WHEN one.chr IS NOT DISTINCT FROM other.chr
            AND one.sample = other.sample
            AND one.region = other.region
        THEN true
        ELSE false
    END;

-- primary_of(hits_table, overlap_ppm, widest): the rows that are primary. widest is the length of the
-- longest hit: no hit may be longer. No order.
-- Every hit is compared with those that start in its reach: both lie in the bin of 128 bases that
-- holds the later start. A filter on sample or chromosome holds for both sides of the join.
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
    AND overlap_of(hit, rival, overlap_ppm)
    AND beats(rival, hit);
