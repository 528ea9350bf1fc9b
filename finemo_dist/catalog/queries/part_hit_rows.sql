-- Question: none; part_hits as collapse.sql wants it.
-- Contract: a motif is found once at a place of a region, so that motif_id tells apart what no
-- column before it does.
CREATE VIEW part_hit_rows AS SELECT *, motif_id AS "row" FROM part_hits;
