-- Question: what do the files hold that the variable place_parts lists?
-- Contract: their columns and filename. A connection that lists fewer files sees fewer, in all views.
CREATE VIEW place_parts AS
FROM read_parquet(getvariable('place_parts'), filename = true, hive_partitioning = false);
