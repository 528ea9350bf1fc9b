-- Question: how far is each sample, and what was found in it?
-- Contract: one row per sample of run.json, with or without committed units; counts are of
-- committed units, n_regions and n_shards of the whole sample. No part is read.
CREATE VIEW samples AS
SELECT * FROM sample_table;
