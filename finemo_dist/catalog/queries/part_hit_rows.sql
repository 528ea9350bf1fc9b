-- Question: none; part_hits as collapse.sql wants it.
-- Contract: a motif is found once at a place of a region, and "row" has these three side by side, the
-- motif first: it tells apart what no column before it does. Places are less than 2^40 bases from 0.
CREATE VIEW part_hit_rows AS
SELECT
    *,
    (motif_id::HUGEINT << 73) + (peak_id::HUGEINT << 41) + start_untrimmed + (1::BIGINT << 40)
        AS "row"
FROM part_hits;
