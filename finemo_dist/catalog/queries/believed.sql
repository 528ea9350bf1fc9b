-- Question: which hits are shown, where no largest q is asked for?
-- Contract: makes the table macro believed(hits_table): all rows of a view of hits, by its name.
CREATE MACRO believed(hits_table) AS TABLE FROM query_table(hits_table);
