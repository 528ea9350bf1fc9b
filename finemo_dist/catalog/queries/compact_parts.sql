-- Question: what do the files hold that the variable compact_parts lists?
-- Contract: their columns and filename. A connection that lists fewer files sees fewer, in all views.
CREATE VIEW compact_parts AS
FROM read_parquet(getvariable('compact_parts'), filename = true, hive_partitioning = false);
