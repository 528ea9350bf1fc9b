-- Question: the hits of a sample of a run on some chromosomes.
-- Contract: the columns that the variable wanted names. The variable chunk has the fields table, a view
-- of named_hits.sql; sample; chroms, a list of chr_id; and first and last, the least of them and the
-- largest, so that row groups are skipped. No order.
SELECT COLUMNS(lambda name: list_contains(getvariable('wanted'), name))
FROM query_table(getvariable('chunk')."table")
WHERE sample = getvariable('chunk').sample
    AND chr_id BETWEEN getvariable('chunk').first AND getvariable('chunk').last
    AND list_contains(getvariable('chunk').chroms, chr_id);
