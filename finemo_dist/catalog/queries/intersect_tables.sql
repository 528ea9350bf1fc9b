-- Question: none; what the files of an intersection say.
-- Contract: makes the empty table staged: input counts the files from 0, then the columns of
-- finemo's hits.tsv.
CREATE TABLE staged (
    input INTEGER NOT NULL,
    chr VARCHAR,
    start BIGINT,
    "end" BIGINT,
    start_untrimmed BIGINT,
    end_untrimmed BIGINT,
    motif_name VARCHAR,
    hit_coefficient FLOAT,
    hit_coefficient_global FLOAT,
    hit_similarity FLOAT,
    hit_correlation FLOAT,
    hit_importance FLOAT,
    hit_importance_sq FLOAT,
    strand VARCHAR,
    peak_name VARCHAR,
    peak_id UINTEGER
);
