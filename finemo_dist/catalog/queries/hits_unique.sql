-- Question: which hits remain when overlapping peaks report the same site more than once?
-- Contract: the columns of hits, the rows of unique.sql: one per sample, chromosome, start, motif
-- and strand. No order.
CREATE VIEW all_unique AS
SELECT * FROM unique_of('part_hits')
UNION ALL
SELECT * EXCLUDE (is_unique, is_primary) FROM compact_hits WHERE is_unique;
CREATE VIEW hits_unique AS FROM clustered('all_unique');
