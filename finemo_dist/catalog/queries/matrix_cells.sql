-- Question: what is in the cells of a sample's matrix of regions and motifs?
-- Contract: the variable chunk has the fields table and sample. (peak_id, column from 0, hits,
-- summed hit_coefficient_global, summed hit_importance) of every cell with a hit; by peak_id, then column. Both strands of a motif are one column.
-- Sums are made in the order of their values, so that they do not depend on that of the rows.
WITH columns AS (
    SELECT motif_name, row_number() OVER (ORDER BY min(motif_id)) - 1 AS motif_column
    FROM motifs
    GROUP BY motif_name
)
SELECT
    peak_id::BIGINT AS peak_id,
    motif_column::INTEGER AS motif_column,
    count(*)::FLOAT AS n_hits,
    sum(hit_coefficient_global::DOUBLE ORDER BY hit_coefficient_global)::FLOAT AS coefficient,
    sum(hit_importance::DOUBLE ORDER BY hit_importance)::FLOAT AS importance
FROM query_table(getvariable('chunk').table)
JOIN columns USING (motif_name)
WHERE sample = getvariable('chunk').sample
GROUP BY peak_id, motif_column
ORDER BY peak_id, motif_column;
