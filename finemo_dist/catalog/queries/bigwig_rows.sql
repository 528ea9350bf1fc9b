-- Question: how many hits of each motif cover each base, or the sum of their global coefficients.
-- Contract: the variable chunk has the fields table, label and signal ('coverage' or
-- 'coefficient_global'). (label, chr, start, end, value) where any hit is, as long as the value stays
-- the same; ends of chromosomes cut hits. Order by label, chromosome by name, start. A sum is taken
-- in the order of its values, so that it does not depend on threads.
WITH hit AS (
    SELECT
        label,
        chr,
        greatest(start, 0) AS start,
        least("end", coalesce(length, "end")) AS "end",
        CASE getvariable('chunk').signal
            WHEN 'coverage' THEN 1.0
            ELSE hit_coefficient_global
        END::DOUBLE AS value
    FROM query_table(getvariable('chunk').table)
    JOIN motif_labels(getvariable('chunk').label) USING (motif_id)
    LEFT JOIN chromosome_ends USING (sample, chr)
    WHERE chr IS NOT NULL AND "end" > 0 AND start < coalesce(length, start + 1)
),
edge AS (
    SELECT label, chr, start AS place, 1 AS n, value FROM hit
    UNION ALL
    SELECT label, chr, "end", -1, -value FROM hit
),
step AS (
    SELECT label, chr, place, sum(n) AS n, sum(value ORDER BY value) AS value
    FROM edge
    GROUP BY ALL
),
level AS (
    SELECT
        label,
        chr,
        place AS start,
        lead(place) OVER ordered AS "end",
        sum(n) OVER ordered AS n,
        sum(value) OVER ordered AS value
    FROM step
    WINDOW ordered AS (PARTITION BY label, chr ORDER BY place)
)
SELECT label, chr, start::BIGINT AS start, "end"::BIGINT AS "end", value
FROM level
WHERE n > 0
ORDER BY label, chr, start;
