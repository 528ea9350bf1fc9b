-- Question: how many hits of each motif are in each region of a sample?
-- Contract: (peak_id, column of the motif from 0, hits), by peak_id then column, for $first <=
-- peak_id < $last; see cells.sql. A hit counts in every region it was called in.
SELECT peak_id, motif_column::INTEGER AS motif_column, n_hits::INTEGER AS n
FROM cells_of('hits', $sample)
WHERE peak_id >= $first AND peak_id < $last
ORDER BY peak_id, motif_column;
