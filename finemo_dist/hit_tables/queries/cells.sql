-- Question: the cells of the table lined.
-- Contract: (cells), in the order of the table.
SELECT cells FROM with_cells('lined');
