-- Question: which hits are shown, where a largest q is asked for?
-- Contract: makes the table q_cuts, what q_cuts_at says of the variable largest_q; and the table
-- macro believed(hits_table): the rows of a view of hits, by its name, from that amplitude on.
CREATE TABLE q_cuts AS
SELECT sample, motif_name, hit_amplitude FROM q_cuts_at(getvariable('largest_q'));
CREATE MACRO believed(hits_table) AS TABLE
SELECT hit.*
FROM query_table(hits_table) AS hit
JOIN q_cuts ON q_cuts.sample = hit.sample AND q_cuts.motif_name = hit.motif_name
WHERE amplitude_of(hit.hit_coefficient, hit.hit_coefficient_global, hit.hit_importance_sq)
    >= q_cuts.hit_amplitude;
