-- Question: the hits of a run with their lines.
-- Contract: makes the table macro with_cells(hits_table, said, lead, ending): the columns of a table or
-- view of hits, by its name, and cells: lead, then what said names of a line, then ending, as bytes.
-- said is 'hit', the columns of hits.tsv; 'scores', those in which hits of one site differ; or 'all
-- but site', those in which they differ when only the untrimmed place has to agree. Null is NA.
-- Names have no tab or line end any more: see cell in tables.sql. The order is that of the table.
CREATE MACRO with_cells(hits_table, said, lead, ending) AS TABLE
SELECT
    *,
    -- Each line in one piece: to put a line together from longer parts takes a tenth longer.
    encode(CASE said
        WHEN 'hit' THEN
            concat(
                lead, coalesce(chr, 'NA'), chr(9), start, chr(9), "end", chr(9), start_untrimmed,
                chr(9), end_untrimmed, chr(9), motif_name, chr(9), hit_coefficient, chr(9),
                hit_coefficient_global, chr(9), similarity, chr(9), similarity, chr(9),
                hit_importance, chr(9), hit_importance_sq, chr(9), strand, chr(9),
                coalesce(peak_name, 'NA'), chr(9), peak_id, ending
            )
        WHEN 'scores' THEN concat(lead, scores, ending)
        WHEN 'all but site' THEN
            concat(
                lead, start, chr(9), "end", chr(9), scores, chr(9), coalesce(peak_name, 'NA'),
                chr(9), peak_id, ending
            )
    END) AS cells
FROM (
    SELECT
        *,
        -- In a table of a run hit_correlation says the same as hit_similarity.
        concat_ws(
            chr(9), hit_coefficient, hit_coefficient_global, similarity, similarity,
            hit_importance, hit_importance_sq
        ) AS scores
    FROM (SELECT *, hit_similarity::VARCHAR AS similarity FROM query_table(hits_table))
);
