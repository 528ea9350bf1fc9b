-- Question: what sites do the inputs so far share, and with what lines?
-- Contract: makes the table shared of the first input, the views sites and numbers: a row a line, with
-- the columns of its site and what orders lines of one site.
CREATE OR REPLACE TEMP TABLE shared AS
SELECT
    site, chr, region, start_untrimmed, end_untrimmed, motif_name, strand, own_start, own_end,
    own_peak_name, own_peak_id, coalesce(nth, 0) AS combination, cells
FROM sites
LEFT JOIN numbers USING ("row");
