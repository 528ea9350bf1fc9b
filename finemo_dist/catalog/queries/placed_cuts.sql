-- Question: where is a chromosome cut, so that each stretch has about so many hits?
-- Contract: (start), the least start of the files that the variable pieces lists, the start of every
-- $n_rows-th hit after it, and one more than the greatest. No order.
WITH starts AS (
    SELECT start, row_number() OVER (ORDER BY start) - 1 AS n
    FROM read_parquet(getvariable('pieces'))
)
SELECT start FROM starts WHERE n % $n_rows = 0
UNION ALL
SELECT max(start) + 1 FROM starts;
