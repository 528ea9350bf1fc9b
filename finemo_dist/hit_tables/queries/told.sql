-- Question: what is written of the hits of a table?
-- Contract: makes table macros of a table as make_hits.sql makes it, by its name: the columns of
-- site_hits, and told, what is written. cells_told(hits_table), of a file: text. scores_told and
-- hit_told, of a run: a struct for scores_of, and for line_of and beyond_site, of
-- catalog/queries/with_cells.sql. Text is made of it when it is known which hits are shared.
CREATE MACRO cells_told(hits_table) AS TABLE
SELECT *, cells AS told
FROM site_hits(hits_table, getvariable('is_relaxed'));

CREATE MACRO scores_told(hits_table) AS TABLE
SELECT
    *,
    {
        hit_coefficient: hit_coefficient, hit_coefficient_global: hit_coefficient_global,
        hit_similarity: hit_similarity, hit_importance: hit_importance,
        hit_importance_sq: hit_importance_sq
    } AS told
FROM site_hits(hits_table, getvariable('is_relaxed'));

CREATE MACRO hit_told(hits_table) AS TABLE
SELECT
    *,
    {
        chr: chr, start: start, "end": "end", start_untrimmed: start_untrimmed,
        end_untrimmed: end_untrimmed, motif_name: motif_name, hit_coefficient: hit_coefficient,
        hit_coefficient_global: hit_coefficient_global, hit_similarity: hit_similarity,
        hit_importance: hit_importance, hit_importance_sq: hit_importance_sq, strand: strand,
        peak_name: peak_name, peak_id: peak_id
    } AS told
FROM site_hits(hits_table, getvariable('is_relaxed'));
