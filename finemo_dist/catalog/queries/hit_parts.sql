-- Question: what do the files hold that the variable hit_parts lists?
-- Contract: their columns and filename. A connection that lists fewer files sees fewer, in all views.
CREATE VIEW hit_parts AS
FROM read_parquet(getvariable('hit_parts'), filename = true, hive_partitioning = false);
