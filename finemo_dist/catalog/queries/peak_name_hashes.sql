-- Question: what numbers stand for the names of peaks?
-- Contract: peak_name_hash (UBIGINT), of the rows of the view rows, in their order. All that is
-- asked of them is whether those of hits that agree in all else differ.
SELECT hash(peak_name) AS peak_name_hash
FROM rows;
