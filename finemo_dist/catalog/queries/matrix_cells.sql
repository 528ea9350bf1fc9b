-- Question: what is in the cells of a sample's matrix of regions and motifs?
-- Contract: the variable chunk has the fields table and sample. (peak_id, column from 0, hits,
-- summed hit_coefficient_global, summed hit_importance) of every cell with a hit, see cells.sql; by
-- peak_id, then column.
SELECT
    peak_id::BIGINT AS peak_id,
    motif_column::INTEGER AS motif_column,
    n_hits::FLOAT AS n_hits,
    coefficient::FLOAT AS coefficient,
    importance::FLOAT AS importance
FROM cells_of(getvariable('chunk').table, getvariable('chunk').sample)
ORDER BY peak_id, motif_column;
