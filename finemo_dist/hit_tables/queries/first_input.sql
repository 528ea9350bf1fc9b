-- Question: what sites do the inputs so far share, and with what lines?
-- Contract: makes the view shared of the first input, the view sites_0: a row a line, with the columns
-- of its site, what orders lines of one site, and told_0, told_1 and so on of the inputs.
CREATE OR REPLACE TEMP VIEW shared AS
SELECT
    site, chr, region, start_untrimmed, end_untrimmed, motif_name, strand, own_start, own_end,
    own_peak_name, own_peak_id, nth AS combination, told AS told_0
FROM sites_0;
