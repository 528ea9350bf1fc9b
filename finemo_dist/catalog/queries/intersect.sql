-- Question: which hits do all of several samples share?
-- Contract: makes the table macro shared_hits(hits_table, of_samples, is_relaxed): the rows of a
-- table or view of hits, by its name, of sites that every one of the samples has.
--   Hits are of one site when chromosome, untrimmed start and end, motif and strand agree; unless
--   is_relaxed, trimmed start and end, peak name and peak number must agree as well. Null agrees
--   with null. Without a chromosome the region must agree in any case, because places in different
--   regions are not the same place.
--   intersect-hits writes each combination of one hit of every input at such a site as a line.
--   No order.
CREATE MACRO shared_hits(hits_table, of_samples, is_relaxed) AS TABLE
SELECT *
FROM query_table(hits_table)
WHERE list_contains(of_samples, sample)
QUALIFY count(DISTINCT sample) OVER (
    PARTITION BY
        chr, CASE WHEN chr IS NULL THEN peak_id END, start_untrimmed, end_untrimmed, motif_name,
        strand, CASE WHEN NOT is_relaxed THEN start END, CASE WHEN NOT is_relaxed THEN "end" END,
        CASE WHEN NOT is_relaxed THEN peak_name END, CASE WHEN NOT is_relaxed THEN peak_id END
) = len(list_distinct(of_samples));
