-- Question: which of several hits of its table at one site is a hit of the view sites?
-- Contract: makes the table numbers, of hits that may not be alone at their site: "row"; nth, from 0,
-- by start, end, peak and scores; and how many there are. $input is the number of the table.
-- Where the variable is_repeated says that there are none, the view is not read at all.
CREATE OR REPLACE TEMP TABLE numbers AS
SELECT
    "row",
    row_number() OVER (
        alike
        ORDER BY
            start, "end", peak_id, hash(peak_name), hit_coefficient, hit_coefficient_global,
            hit_similarity, hit_correlation, hit_importance, hit_importance_sq
    ) - 1 AS nth,
    count(*) OVER alike AS n_hits
FROM sites
SEMI JOIN (SELECT site FROM repeated WHERE input = $input) USING (site)
WHERE getvariable('is_repeated')
WINDOW alike AS (
    PARTITION BY
        chr, region, start_untrimmed, end_untrimmed, motif_name, strand, own_start, own_end,
        own_peak_name, own_peak_id
);
