-- Question: none; fills sample_table.
-- Contract: one list a column, all of one length, one entry a sample.
INSERT INTO sample_table
SELECT
    unnest($sample), unnest($n_regions), unnest($n_shards), unnest($n_shards_committed),
    unnest($n_regions_committed), unnest($n_hits), unnest($n_not_converged),
    unnest($max_gap), unnest($region_width), unnest($has_coordinates), unnest($motif_set),
    unnest($mode), unnest($lambda), unnest($trim_threshold);
