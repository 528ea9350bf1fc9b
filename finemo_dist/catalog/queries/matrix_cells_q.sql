-- Question: as matrix_cells.sql, with the smallest q of the hits in each cell.
-- Contract: a sixth column, null where no hit of the cell has a decoy_q.
SELECT
    cell.peak_id::BIGINT AS peak_id,
    motif_column::INTEGER AS motif_column,
    n_hits::FLOAT AS n_hits,
    coefficient::FLOAT AS coefficient,
    importance::FLOAT AS importance,
    least.decoy_q::FLOAT AS decoy_q
FROM cells_of(getvariable('chunk').table, getvariable('chunk').sample) AS cell
JOIN (
    SELECT peak_id, motif_name, min(decoy_q) AS decoy_q
    FROM with_confidence(getvariable('chunk').table)
    WHERE sample = getvariable('chunk').sample
    GROUP BY ALL
) AS least ON least.peak_id = cell.peak_id
JOIN (
    SELECT motif_name, row_number() OVER (ORDER BY min(motif_id)) - 1 AS motif_column
    FROM motifs
    GROUP BY motif_name
) AS columns USING (motif_name, motif_column)
ORDER BY cell.peak_id, motif_column;
