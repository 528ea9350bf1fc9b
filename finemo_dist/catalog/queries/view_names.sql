-- Question: which tables does the catalog show?
-- Contract: (name), by name.
SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY view_name;
