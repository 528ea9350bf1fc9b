-- Question: none; the hits of the view piece as a table to join.
-- Contract: makes the table made: the columns of the view; site, a hash of what makes a site; and nth
-- and n_hits as they are for hits that are alone at their site: see number_hits.sql. And the view
-- counted_made: the table with "row", a number of each.
CREATE OR REPLACE TEMP TABLE made AS
SELECT
    * EXCLUDE ("row", sample, region, own_start, own_end, own_peak_name, own_peak_id),
    hash(
        chr, region, start_untrimmed, end_untrimmed, motif_name, strand, own_start, own_end,
        own_peak_name, own_peak_id
    ) AS site,
    0::BIGINT AS nth,
    1::BIGINT AS n_hits
FROM site_hits('piece', getvariable('is_relaxed'));

CREATE OR REPLACE TEMP VIEW counted_made AS SELECT *, rowid AS "row" FROM made;
