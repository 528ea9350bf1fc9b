-- Question: what do the files hold that the variable qc_parts lists?
-- Contract: their columns and filename. A connection that lists fewer files sees fewer, in all views.
CREATE VIEW qc_parts AS
FROM read_parquet(getvariable('qc_parts'), filename = true, hive_partitioning = false);
