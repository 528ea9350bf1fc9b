-- Question: the hits of a run, with names that lines can have.
-- Contract: makes the view named_hits: the columns of the view that the variable source names, hits or
-- hits_unique, with a space for a tab or line end in a name.
CREATE OR REPLACE TEMP VIEW named_hits AS
-- Here, names are still numbers of a dictionary, and each is looked at once.
SELECT * REPLACE (cell(motif_name) AS motif_name, cell(peak_name) AS peak_name)
FROM query_table(getvariable('source'));
