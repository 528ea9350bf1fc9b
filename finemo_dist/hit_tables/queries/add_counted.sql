-- Question: how many hits has the view sites at sites at which a table has several?
-- Contract: adds them to the table counted, as those of $input.
INSERT INTO counted
SELECT
    $input, chr, region, start_untrimmed, end_untrimmed, motif_name, strand, own_start, own_end,
    own_peak_name, own_peak_id, count(*)
FROM sites
SEMI JOIN repeated USING (site)
GROUP BY ALL;
