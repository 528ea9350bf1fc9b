-- Question: what is known of the run before any part is read?
-- Contract: makes the empty tables that the catalog fills from run.json and the parts' footers,
-- and what queries share.
CREATE TABLE sample_table (
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
    motif_set VARCHAR
);
-- How long chromosomes are, where a sample knows it.
CREATE TABLE chromosome_ends (
    sample VARCHAR NOT NULL,
    chr VARCHAR NOT NULL,
    length BIGINT NOT NULL
);
-- Parts and compacted files count the motifs of their own set from 0, under its own names;
-- first_motif_id and name_prefix are what the views add to both.
CREATE TABLE part_files (
    filename VARCHAR PRIMARY KEY,
    sample VARCHAR NOT NULL,
    first_motif_id INTEGER NOT NULL,
    name_prefix VARCHAR NOT NULL
);
CREATE TABLE compact_files (
    filename VARCHAR PRIMARY KEY,
    sample VARCHAR NOT NULL,
    chr VARCHAR,
    chr_id INTEGER NOT NULL,
    first_motif_id INTEGER NOT NULL,
    name_prefix VARCHAR NOT NULL
);
CREATE TABLE motif_files (
    filename VARCHAR PRIMARY KEY,
    motif_set VARCHAR NOT NULL,
    first_motif_id INTEGER NOT NULL,
    name_prefix VARCHAR NOT NULL,
    annotation_prefix VARCHAR NOT NULL
);
CREATE TABLE data_dictionary (
    view_name VARCHAR NOT NULL,
    column_name VARCHAR NOT NULL,
    column_type VARCHAR NOT NULL,
    unit VARCHAR,
    meaning VARCHAR NOT NULL
);
-- A name as one cell of a text file: what would end the cell or the line is a space. To look first
-- takes a third of the time.
CREATE MACRO cell(name) AS
    CASE
        WHEN regexp_matches(name, '[\t\n\r]')
        THEN translate(name, chr(9) || chr(10) || chr(13), '   ')
        ELSE name
    END;
