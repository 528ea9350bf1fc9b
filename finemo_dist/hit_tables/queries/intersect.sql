-- Question: of what site is a hit, when several tables are compared?
-- Contract: makes the table macro site_hits(hits_table, is_relaxed): the rows of a table or view of
-- hits, by its name, with columns that say their site.
--   Hits are of one site when chromosome, untrimmed start and end, motif and strand agree; unless
--   is_relaxed, trimmed start and end, peak name and peak number must agree as well: own_start to
--   own_peak_id. Null agrees with null. Without a chromosome the region must agree in any case,
--   because places in different regions are not the same place.
--   Tables share the sites that each of them has. Each combination of one hit of every table at
--   such a site is a line.
CREATE MACRO site_hits(hits_table, is_relaxed) AS TABLE
SELECT
    *,
    CASE WHEN chr IS NULL THEN peak_id END AS region,
    CASE WHEN NOT is_relaxed THEN start END AS own_start,
    CASE WHEN NOT is_relaxed THEN "end" END AS own_end,
    CASE WHEN NOT is_relaxed THEN peak_name END AS own_peak_name,
    CASE WHEN NOT is_relaxed THEN peak_id END AS own_peak_id
FROM query_table(hits_table);
