-- Question: which of several hits at one site is a hit of the table made?
-- Contract: sets, of hits that may not be alone at their site: nth, from 0, by start, end, peak and
-- scores; and n_hits, how many there are. $input is the number of the table.
UPDATE made
SET nth = numbered.nth, n_hits = numbered.n_hits
FROM (
    SELECT
        "row",
        row_number() OVER (
            alike
            ORDER BY
                start, "end", peak_id, hash(peak_name), hit_coefficient, hit_coefficient_global,
                hit_similarity, hit_correlation, hit_importance, hit_importance_sq
        ) - 1 AS nth,
        count(*) OVER alike AS n_hits
    FROM site_hits('counted_made', getvariable('is_relaxed'))
    SEMI JOIN (SELECT site FROM repeated WHERE input = $input) USING (site)
    WINDOW alike AS (
        PARTITION BY
            chr, region, start_untrimmed, end_untrimmed, motif_name, strand, own_start, own_end,
            own_peak_name, own_peak_id
    )
) AS numbered
WHERE made.rowid = numbered."row";
