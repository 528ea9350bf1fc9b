-- Question: how many lines has the site that has most of them?
-- Contract: one number, or null; of the sites in the table counted that all of $n_inputs tables have.
SELECT max(n_lines)
FROM (
    SELECT product(n_hits) AS n_lines
    FROM counted
    GROUP BY
        chr, region, start_untrimmed, end_untrimmed, motif_name, strand, own_start, own_end,
        own_peak_name, own_peak_id
    HAVING count(*) = $n_inputs
);
