-- Question: which hits were called, under names that lines can have?
-- Contract: makes the views named_hits, named_hits_unique and named_hits_primary: the columns of hits,
-- hits_unique and hits_primary, with a space for a tab or line end in a name. No order.
-- Here, names are still numbers of a dictionary, and each is looked at once.
CREATE VIEW named_hits AS
SELECT * REPLACE (cell(motif_name) AS motif_name, cell(peak_name) AS peak_name) FROM hits;

CREATE VIEW named_hits_unique AS
SELECT * REPLACE (cell(motif_name) AS motif_name, cell(peak_name) AS peak_name) FROM hits_unique;

CREATE VIEW named_hits_primary AS
SELECT * REPLACE (cell(motif_name) AS motif_name, cell(peak_name) AS peak_name) FROM hits_primary;
