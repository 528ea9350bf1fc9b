-- Question: none; makes the empty tables of a report.
-- Contract: report_motifs, one row per motif and strand, rank counting motifs in their order;
-- report_hits, see report_hits.sql; report_seqlets, see report_seqlets.sql.
CREATE OR REPLACE TEMP TABLE report_motifs AS
SELECT
    motif_name,
    motif_name_orig,
    strand,
    motif_start,
    motif_end,
    dense_rank() OVER (ORDER BY first_id)::INTEGER - 1 AS rank
FROM (SELECT *, min(motif_id) OVER (PARTITION BY motif_name) AS first_id FROM motifs);

CREATE OR REPLACE TEMP TABLE report_hits (
    sample VARCHAR,
    chr VARCHAR,
    alone BIGINT,
    peak_id UINTEGER,
    motif_name VARCHAR,
    rank INTEGER,
    strand VARCHAR,
    start_untrimmed BIGINT,
    "offset" BIGINT,
    is_restricted BOOLEAN
);

CREATE OR REPLACE TEMP TABLE report_seqlets (
    sample VARCHAR,
    chr VARCHAR,
    alone BIGINT,
    peak_id UINTEGER,
    motif_name VARCHAR,
    rank INTEGER,
    strand VARCHAR,
    start BIGINT,
    "end" BIGINT,
    start_untrimmed BIGINT,
    end_untrimmed BIGINT,
    peak_region_start BIGINT,
    "offset" BIGINT
);
