-- Question: how many hits has each table at sites at which one of them has several?
-- Contract: makes the empty table counted: input, the number of a table, the columns of a site, hits.
CREATE OR REPLACE TEMP TABLE counted (
    input INTEGER, chr VARCHAR, region BIGINT, start_untrimmed BIGINT, end_untrimmed BIGINT,
    motif_name VARCHAR, strand VARCHAR, own_start BIGINT, own_end BIGINT, own_peak_name VARCHAR,
    own_peak_id BIGINT, n_hits BIGINT
);
