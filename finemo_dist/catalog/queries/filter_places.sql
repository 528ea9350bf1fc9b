-- Question: which hits lie outside, or inside, of intervals?
-- Contract: ("row") of remaining that share a base with no row of the table intervals if $is_inside,
-- else with some row.
SELECT "row"
FROM remaining
WHERE EXISTS (
    SELECT 1
    FROM intervals
    WHERE intervals.chr = remaining.chr
        AND intervals.start < remaining."end"
        AND intervals."end" > remaining.start
) <> $is_inside;
