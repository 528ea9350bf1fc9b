-- Question: which hits were called?
-- Contract: one row per committed hit, the columns of finemo's hits.tsv between sample and the
-- two ids, then hit_score and the cluster of the motif, null where the annotation has none.
-- hit_correlation repeats hit_similarity. No order.
-- A sample is read from its compacted files where they are current, and from its parts otherwise.
-- Of a catalog with a largest q only the hits that have it are shown: see believed.sql.
CREATE VIEW all_hits AS
SELECT * FROM part_hits
UNION ALL
SELECT * EXCLUDE (is_unique, is_primary) FROM compact_hits;
CREATE VIEW hits AS FROM clustered('all_hits');
