-- Question: as hits.sql, hits_unique.sql and hits_primary.sql, where nothing is compacted.
-- Contract: as there. DuckDB binds all that a view is made of whenever it is asked.
CREATE VIEW all_hits AS
FROM part_hits;
CREATE VIEW all_unique AS
FROM unique_of('part_hits');
CREATE VIEW all_primary AS
FROM primary_parts();
