-- Question: how many hits of each motif does each region have, and how strong are they?
-- Contract: makes the table macro cells_of(hits_table, of_sample): (peak_id, motif_column from 0,
-- n_hits, coefficient, importance) of every region of a sample and motif with a hit in a table or view
-- of hits, by its name; coefficient is the summed hit_coefficient_global, importance the summed
-- hit_importance. Both strands of a motif are one column; columns are in the
-- order of the run. Sums are made in the order of their values, so that they do not depend on that
-- of the rows; an aggregate that nobody asks for is not made. No order.
CREATE MACRO cells_of(hits_table, of_sample) AS TABLE
WITH columns AS (
    SELECT motif_name, row_number() OVER (ORDER BY min(motif_id)) - 1 AS motif_column
    FROM motifs
    GROUP BY motif_name
)
SELECT
    peak_id,
    motif_column,
    count(*) AS n_hits,
    sum(hit_coefficient_global::DOUBLE ORDER BY hit_coefficient_global) AS coefficient,
    sum(hit_importance::DOUBLE ORDER BY hit_importance) AS importance
FROM query_table(hits_table)
JOIN columns USING (motif_name)
WHERE sample = of_sample
GROUP BY peak_id, motif_column;
