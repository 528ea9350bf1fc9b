-- Question: none; makes the tables that comparisons of samples read.
-- Contract: compared: samples and their side, 0 or 1. score_quantiles: of each sample the quantile that
-- a score lies at, by bins of a thirty-second of a doubling; multiples of 2^-30, so that their sums are
-- exact in any order. common_regions: intervals that regions
-- of every sample cover. believed_cuts: of each sample and motif the smallest amplitude of a hit that is
-- believed, null where none is, and whether it has a q.
CREATE OR REPLACE TEMP TABLE compared (sample VARCHAR, side TINYINT);
CREATE OR REPLACE TEMP TABLE score_quantiles (sample VARCHAR, bin INTEGER, quantile DOUBLE);
CREATE OR REPLACE TEMP TABLE common_regions (chr VARCHAR, "first" BIGINT, "last" BIGINT);
CREATE OR REPLACE TEMP TABLE believed_cuts (
    sample VARCHAR, motif_name VARCHAR, hit_amplitude DOUBLE, has_q BOOLEAN
);
-- hit_score in bins: the square root of both coefficients, which is in units of contributions.
CREATE OR REPLACE TEMP MACRO score_bin(coefficient, coefficient_global) AS
    floor(16 * log2(coefficient::DOUBLE * coefficient_global::DOUBLE))::INTEGER;
