-- Question: the hits of a run with their lines.
-- Contract: makes the table macro with_cells(hits_table): the columns of a table or view of named_hits,
-- by its name, and cells: the variable lead and then what the variable said names of a line,
-- without its end: 'hit', the columns of hits.tsv; 'scores', those in which hits of one site
-- differ; 'all but site', those in which they differ when only the untrimmed place has to agree.
-- Null is NA there. The order is that of the table.
CREATE OR REPLACE TEMP MACRO with_cells(hits_table) AS TABLE
SELECT
    *,
    encode(concat(getvariable('lead'), CASE getvariable('said')
        WHEN 'hit' THEN
            -- Written out, because concat_ws within concat_ws takes a tenth longer.
            concat(
                coalesce(chr, 'NA'), chr(9), start, chr(9), "end", chr(9), start_untrimmed, chr(9),
                end_untrimmed, chr(9), motif_name, chr(9), hit_coefficient, chr(9),
                hit_coefficient_global, chr(9), similarity, chr(9), similarity, chr(9),
                hit_importance, chr(9), hit_importance_sq, chr(9), strand, chr(9),
                coalesce(peak_name, 'NA'), chr(9), peak_id
            )
        WHEN 'scores' THEN scores
        WHEN 'all but site' THEN
            concat_ws(chr(9), start, "end", scores, coalesce(peak_name, 'NA'), peak_id)
    END)) AS cells
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
