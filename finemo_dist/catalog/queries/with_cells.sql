-- Question: the hits of a run with their lines.
-- Contract: makes macros of text. scores_of(hit): the columns of hits.tsv in which hits of one site
-- differ; beyond_site(hit): those in which they differ when only the untrimmed place has to agree;
-- line_of(lead, hit, ending): lead, all columns of hits.tsv, then ending. hit is a table or a struct.
-- And the table macro with_cells(hits_table, lead, ending): the columns of a table or view of hits, by
-- its name, and cells: line_of, as bytes. Null is NA. Names have no tab or line end any more: see cell
-- in tables.sql. The order is that of the table.
-- In a table of a run hit_correlation says the same as hit_similarity. DuckDB prints it once.
CREATE MACRO scores_of(hit) AS
    concat(
        hit.hit_coefficient, chr(9), hit.hit_coefficient_global, chr(9), hit.hit_similarity, chr(9),
        hit.hit_similarity, chr(9), hit.hit_importance, chr(9), hit.hit_importance_sq
    );

CREATE MACRO beyond_site(hit) AS
    concat(
        hit.start, chr(9), hit."end", chr(9), hit.hit_coefficient, chr(9),
        hit.hit_coefficient_global, chr(9), hit.hit_similarity, chr(9), hit.hit_similarity, chr(9),
        hit.hit_importance, chr(9), hit.hit_importance_sq, chr(9), coalesce(hit.peak_name, 'NA'),
        chr(9), hit.peak_id
    );

-- Each line in one piece: to put a line together from longer parts takes a tenth longer.
CREATE MACRO line_of(lead, hit, ending) AS
    concat(
        lead, coalesce(hit.chr, 'NA'), chr(9), hit.start, chr(9), hit."end", chr(9),
        hit.start_untrimmed, chr(9), hit.end_untrimmed, chr(9), hit.motif_name, chr(9),
        hit.hit_coefficient, chr(9), hit.hit_coefficient_global, chr(9), hit.hit_similarity, chr(9),
        hit.hit_similarity, chr(9), hit.hit_importance, chr(9), hit.hit_importance_sq, chr(9),
        hit.strand, chr(9), coalesce(hit.peak_name, 'NA'), chr(9), hit.peak_id, ending
    );

CREATE MACRO with_cells(hits_table, lead, ending) AS TABLE
SELECT *, encode(line_of(lead, hit, ending)) AS cells
FROM query_table(hits_table) AS hit;
