-- Question: which intervals do the regions of a sample cover?
-- Contract: (chr, first, last) half-open, overlapping regions joined; by chromosome and place.
WITH reached AS (
    SELECT
        chr, start, "end",
        max("end") OVER (
            PARTITION BY chr ORDER BY start, "end" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS before
    FROM peaks
    WHERE sample = $sample AND chr IS NOT NULL
),
numbered AS (
    SELECT
        chr, start, "end",
        count(*) FILTER (before IS NULL OR start > before) OVER (
            PARTITION BY chr ORDER BY start, "end" ROWS UNBOUNDED PRECEDING
        ) AS island
    FROM reached
)
SELECT chr, min(start) AS "first", max("end") AS "last"
FROM numbered
GROUP BY chr, island
ORDER BY chr, "first";
