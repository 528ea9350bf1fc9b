-- Question: the hits of a sample of a run on a range of chromosomes.
-- Contract: as catalog/queries/ordered.sql, in no order.
SELECT *
FROM query_table(getvariable('chunk')."table")
WHERE sample = getvariable('chunk').sample
    AND chr_id BETWEEN getvariable('chunk').first AND getvariable('chunk').last;
