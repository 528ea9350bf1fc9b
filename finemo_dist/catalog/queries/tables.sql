-- Question: what is known of the run before any part is read?
-- Contract: makes the empty tables that the catalog fills from run.json and the parts' footers,
-- and what queries share. Run again, a table is empty again.
CREATE OR REPLACE TABLE sample_table (
    sample VARCHAR PRIMARY KEY,
    n_regions BIGINT,
    n_shards BIGINT,
    n_shards_committed BIGINT,
    n_regions_committed BIGINT,
    n_hits BIGINT,
    n_not_converged BIGINT,
    max_gap DOUBLE,
    region_width BIGINT,
    has_coordinates BOOLEAN,
    motif_set VARCHAR,
    mode VARCHAR,
    "lambda" DOUBLE,
    trim_threshold DOUBLE
);
-- How long chromosomes are, where a sample knows it.
CREATE OR REPLACE TABLE chromosome_ends (
    sample VARCHAR NOT NULL,
    chr VARCHAR NOT NULL,
    length BIGINT NOT NULL
);
CREATE OR REPLACE TABLE part_files (
    filename VARCHAR NOT NULL,
    sample VARCHAR NOT NULL
);
CREATE OR REPLACE TABLE compact_files (
    filename VARCHAR NOT NULL,
    sample VARCHAR NOT NULL,
    chr VARCHAR,
    chr_id INTEGER NOT NULL
);
CREATE OR REPLACE TABLE motif_files (
    filename VARCHAR PRIMARY KEY,
    motif_set VARCHAR NOT NULL
);
-- Parts and compacted files count the motifs of their own set from 0, under its own names: what
-- these are in the run, and whether the set is the first shown that has the motif. No rows for a run
-- of one set, which is the same in both.
CREATE OR REPLACE TABLE motif_places (
    motif_set VARCHAR NOT NULL,
    own_id INTEGER NOT NULL,
    run_id INTEGER NOT NULL,
    run_name VARCHAR NOT NULL,
    annotated VARCHAR NOT NULL,
    is_home BOOLEAN NOT NULL
);
-- The motifs of the samples whose hits have confidence; own_name is that in their set.
CREATE OR REPLACE TABLE believed_motifs (
    sample VARCHAR NOT NULL,
    motif_set VARCHAR NOT NULL,
    own_name VARCHAR NOT NULL,
    motif_name VARCHAR NOT NULL
);
-- Counts of an earlier catalog; a sample without a hit has a row without a motif.
CREATE OR REPLACE TABLE known_counts (
    sample VARCHAR NOT NULL,
    motif_name VARCHAR,
    n_hits BIGINT,
    n_forward BIGINT,
    n_reverse BIGINT,
    n_regions BIGINT,
    mean_similarity DOUBLE
);
CREATE OR REPLACE TABLE data_dictionary (
    view_name VARCHAR NOT NULL,
    column_name VARCHAR NOT NULL,
    column_type VARCHAR NOT NULL,
    unit VARCHAR,
    meaning VARCHAR NOT NULL
);
-- What hits are ranked by: the geometric mean of both coefficients.
CREATE MACRO score_of(coefficient, coefficient_global) AS
    sqrt(coefficient::DOUBLE * coefficient_global::DOUBLE)::FLOAT;
-- The amplitude that the solver uses, c / sqrt(1 + S): S, the squared importance in normalised
-- contributions, follows from the two coefficients, whose ratio is the squared scale of the region.
-- Where contributions are so small or large that their square is no number, c stands for it.
CREATE MACRO amplitude_of(coefficient, coefficient_global, importance_sq) AS
    CASE
        WHEN coefficient_global > 0
            AND isfinite(coefficient_global::DOUBLE)
            AND isfinite(importance_sq::DOUBLE)
        THEN
            coefficient::DOUBLE / sqrt(
                1 + importance_sq::DOUBLE * coefficient::DOUBLE / coefficient_global::DOUBLE
            )
        ELSE coefficient::DOUBLE
    END;
-- What a score of a browser, 0 to 1000, is the rank of; kind is score, similarity, importance or
-- coefficient_global.
CREATE MACRO ranked_value(kind, score, similarity, importance, coefficient_global) AS
    CASE kind
        WHEN 'score' THEN score
        WHEN 'similarity' THEN similarity
        WHEN 'importance' THEN importance
        WHEN 'coefficient_global' THEN coefficient_global
    END;
-- A name as one cell of a text file: what would end the cell or the line is a space. To look first
-- takes a third of the time.
CREATE MACRO cell(name) AS
    CASE
        WHEN regexp_matches(name, '[\t\n\r]')
        THEN translate(name, chr(9) || chr(10) || chr(13), '   ')
        ELSE name
    END;
