-- Question: how far apart are two motifs, and how are they oriented?
-- Contract: one row per pair of motifs, orientation and distance that occurs. A pair of sites counts
-- once, however many regions overlap there: a site is a sample, chromosome, start, motif and strand.
-- Without coordinates a site also has a region, and no pair reaches beyond its region. Distances are
-- read in the direction of motif_1: they are positive where motif_2 lies downstream of it. Two sites
-- of one motif on one strand have a positive distance. Two sites with one centre have distance 0.
-- Samples are pooled. In the order of the run, then by orientation and distance.
-- Parameter: motif (motif, all): only pairs with this motif, which becomes motif_1
-- Parameter: other (motif, all): only pairs with this motif too
-- Parameter: max_distance (integer 1 to 100000, 150): largest distance, bases
-- Parameter: sample (sample, all): only hits of this sample
-- Parameter: overlaps (one of yes or no, yes): whether pairs that share bases count
-- Parameter: orientation (one of strand or facing, strand): facing tells convergent from divergent
-- Parameter: pairs (integer 1 to 1000000, all): only so many pairs of motifs, those found most often
-- Column: motif_1: the motif in whose direction distances are read
-- Column: motif_2: the other motif; may be the same
-- Column: orientation: same or opposite strand; by facing, opposite is convergent (the first on the
-- chromosome on +, the second on -) or divergent, and stays opposite at distance 0
-- Column: distance: from centre to centre of the trimmed motifs, bases; halves where one width is odd
-- Column: gap: bases between the trimmed motifs; negative where they overlap
-- Column: n: pairs of sites
-- Column: display_1: name of motif_1 that people read
-- Column: display_2: name of motif_2 that people read
WITH
named AS (
    SELECT
        motif_id,
        motif_name,
        display_name,
        strand,
        -- The motif asked for leads its pairs.
        motif_name IS NOT DISTINCT FROM coalesce(
            getvariable('parameters').motif::VARCHAR, getvariable('parameters').other::VARCHAR
        ) AS is_asked,
        min(motif_id) OVER (PARTITION BY motif_name) AS motif
    FROM motifs
),
numbered AS (
    SELECT sample, row_number() OVER (ORDER BY sample) AS sample_id
    FROM samples
),
sites AS MATERIALIZED (
    SELECT DISTINCT
        sample_id,
        chr_id,
        CASE WHEN chr IS NULL THEN peak_id END AS region,
        start,
        "end",
        motif_id
    FROM hits
    JOIN numbered USING (sample)
    WHERE (
            getvariable('parameters').sample::VARCHAR IS NULL
            OR sample = getvariable('parameters').sample::VARCHAR
        )
        AND (
            getvariable('parameters').motif::VARCHAR IS NULL
            OR getvariable('parameters').other::VARCHAR IS NULL
            OR motif_name IN (
                getvariable('parameters').motif::VARCHAR, getvariable('parameters').other::VARCHAR
            )
        )
),
placed AS (
    SELECT
        sample_id,
        chr_id,
        coalesce(region, -1) AS region,
        start,
        "end",
        motif_id,
        start + "end" AS twice_centre,
        (start + "end") // (2 * getvariable('parameters').max_distance::BIGINT) AS bin
    FROM sites
),
-- A site meets those of its own bin and of the next, so that no pair is missed or met twice.
reach AS (
    SELECT *, unnest([bin, bin + 1]) AS met FROM placed
),
pairs AS (
    SELECT
        a.motif_id AS left_id,
        b.motif_id AS right_id,
        b.twice_centre - a.twice_centre AS twice_distance,
        greatest(a.start, b.start) - least(a."end", b."end") AS gap,
        count(*) AS n
    FROM reach AS a
    JOIN placed AS b
        ON a.sample_id = b.sample_id
        AND a.chr_id = b.chr_id
        AND a.region = b.region
        AND a.met = b.bin
    WHERE b.twice_centre - a.twice_centre <= 2 * getvariable('parameters').max_distance::BIGINT
        AND (
            getvariable('parameters').overlaps = 'yes'
            OR greatest(a.start, b.start) >= least(a."end", b."end")
        )
        AND (b.twice_centre, b.motif_id, b.start) > (a.twice_centre, a.motif_id, a.start)
    GROUP BY ALL
),
-- From left and right to first and second: the one asked for, then the earlier in the run; of two
-- sites of one motif the upstream one where they point the same way, else either.
turned AS (
    SELECT
        CASE WHEN is_left_first THEN l.motif ELSE r.motif END AS order_1,
        CASE WHEN is_left_first THEN r.motif ELSE l.motif END AS order_2,
        l.strand = r.strand AS is_same,
        CASE
            WHEN is_left_first AND l.strand = '+' OR NOT is_left_first AND r.strand = '-'
                THEN twice_distance
            ELSE -twice_distance
        END AS twice_distance,
        gap,
        n
    FROM pairs
    JOIN named AS l ON pairs.left_id = l.motif_id
    JOIN named AS r ON pairs.right_id = r.motif_id
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN l.motif = r.motif THEN l.strand = '+' OR r.strand = '+'
            WHEN l.is_asked <> r.is_asked THEN l.is_asked
            ELSE l.motif < r.motif
        END AS is_left_first
    )
    WHERE (
            l.is_asked
            OR r.is_asked
            OR coalesce(
                getvariable('parameters').motif::VARCHAR, getvariable('parameters').other::VARCHAR
            ) IS NULL
        )
        AND (
            getvariable('parameters').motif::VARCHAR IS NULL
            OR getvariable('parameters').other::VARCHAR IS NULL
            OR CASE WHEN is_left_first THEN r.motif_name ELSE l.motif_name END
                = getvariable('parameters').other::VARCHAR
        )
),
-- Names come last: groups of numbers are made faster than groups of text.
counted AS (
    SELECT order_1, order_2, is_same, twice_distance, gap, sum(n)::BIGINT AS n
    FROM turned
    GROUP BY ALL
),
chosen AS (
    SELECT
        order_1, order_2, one.motif_name AS motif_1, two.motif_name AS motif_2,
        one.display_name AS display_1, two.display_name AS display_2
    FROM (
        SELECT order_1, order_2
        FROM counted
        GROUP BY order_1, order_2
        ORDER BY sum(n) DESC, order_1, order_2
        LIMIT coalesce(getvariable('parameters').pairs::BIGINT, 1000000000)
    )
    JOIN named AS one ON one.motif_id = order_1
    JOIN named AS two ON two.motif_id = order_2
)
SELECT
    motif_1,
    motif_2,
    CASE
        WHEN is_same THEN 'same'
        WHEN getvariable('parameters').orientation = 'strand' OR twice_distance = 0 THEN 'opposite'
        WHEN twice_distance > 0 THEN 'convergent'
        ELSE 'divergent'
    END AS orientation,
    twice_distance / 2::DOUBLE AS distance,
    gap,
    n,
    display_1,
    display_2
FROM counted
JOIN chosen USING (order_1, order_2)
ORDER BY order_1, order_2, orientation DESC, distance, gap
