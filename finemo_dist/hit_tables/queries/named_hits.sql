-- Question: the hits of a run with their lines.
-- Contract: makes the view named_hits: the columns of the view that the variable source names, hits or
-- hits_unique, with a space for a tab or line end in a name; and cells, the variable lead and then
-- what the variable said names of a line, without its end: 'hit', the columns of hits.tsv;
-- 'scores', those in which hits of one site differ; 'all but site', those in which they differ
-- when only the untrimmed place has to agree. Null is NA there.
CREATE OR REPLACE TEMP VIEW named_hits AS
SELECT
    *,
    encode(getvariable('lead') || CASE getvariable('said')
        WHEN 'hit' THEN
            concat_ws(
                chr(9), coalesce(chr, 'NA'), start, "end", start_untrimmed, end_untrimmed,
                motif_name, scores, strand, coalesce(peak_name, 'NA'), peak_id
            )
        WHEN 'scores' THEN scores
        WHEN 'all but site' THEN
            concat_ws(chr(9), start, "end", scores, coalesce(peak_name, 'NA'), peak_id)
    END) AS cells
FROM (
    SELECT
        *,
        -- In a table of a run hit_correlation says the same as hit_similarity.
        concat_ws(
            chr(9), hit_coefficient, hit_coefficient_global, similarity, similarity,
            hit_importance, hit_importance_sq
        ) AS scores
    FROM (
        SELECT
            -- Here, names are still numbers of a dictionary, and each is looked at once.
            * REPLACE (cell(motif_name) AS motif_name, cell(peak_name) AS peak_name),
            hit_similarity::VARCHAR AS similarity
        FROM query_table(getvariable('source'))
    )
);
