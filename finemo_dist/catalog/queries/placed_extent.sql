-- Question: how many hits does a stretch have, and how far do they reach?
-- Contract: (hits, least start, greatest start, greatest end) of the rows that copy_placed.sql takes.
SELECT count(*), min(start), max(start), max("end")
FROM read_parquet(getvariable('pieces'))
WHERE start >= $first AND start < $end;
