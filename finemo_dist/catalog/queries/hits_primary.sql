-- Question: which hits does no overlapping hit of their sample beat?
-- Contract: the columns of hits, the rows of collapse.sql for an overlap of 0.2 of the mean length,
-- as finemo's collapse-hits has it. No order.
-- No hit is longer than the widest trim window. From parts this compares all hits anew whenever it
-- is asked; compacted files hold the answer.
CREATE MACRO primary_parts() AS TABLE
SELECT * EXCLUDE ("row")
FROM primary_of(
    'part_hit_rows', 200000, (SELECT coalesce(max(motif_end - motif_start), 1024) FROM motifs)
);
CREATE VIEW all_primary AS
FROM primary_parts()
UNION ALL
SELECT * EXCLUDE (is_unique, is_primary) FROM compact_hits WHERE is_primary;
CREATE VIEW hits_primary AS FROM clustered('all_primary');
