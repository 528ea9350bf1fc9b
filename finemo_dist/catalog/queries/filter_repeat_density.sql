-- Question: which hits are part of a repeat?
-- Contract: ("row") of remaining that are one of $hits places or more of one motif within $within bases:
-- from the start of the first to the end of the last. A place counts once, whatever the number of
-- regions and strands that have a hit there.
WITH places AS (
    SELECT DISTINCT
        motif_name, chr, CASE WHEN chr IS NULL THEN peak_id END AS region, start, "end"
    FROM remaining
),
runs AS (
    SELECT
        *,
        lead("end", $hits - 1) OVER alike - start <= $within AS is_dense
    FROM places
    WINDOW alike AS (PARTITION BY motif_name, chr, region ORDER BY start, "end")
),
repeats AS (
    SELECT
        *,
        bool_or(coalesce(is_dense, false)) OVER (
            PARTITION BY motif_name, chr, region ORDER BY start, "end"
            ROWS BETWEEN $hits - 1 PRECEDING AND CURRENT ROW
        ) AS is_repeat
    FROM runs
)
SELECT "row"
FROM remaining
JOIN repeats
    ON repeats.motif_name = remaining.motif_name
    AND repeats.chr IS NOT DISTINCT FROM remaining.chr
    AND (remaining.chr IS NOT NULL OR repeats.region = remaining.peak_id)
    AND repeats.start = remaining.start
    AND repeats."end" = remaining."end"
WHERE is_repeat;
