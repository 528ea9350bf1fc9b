-- Question: the cells of the table lined.
-- Contract: (cells), of hits.tsv after the variable lead, in the order of the table.
SELECT cells FROM with_cells('lined', getvariable('lead'), '');
