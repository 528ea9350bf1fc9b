-- Question: which region is the nearest to a place that none covers?
-- Contract: (name, chr, start, end) of one region of the chromosome $chr, or no row.
SELECT
    name,
    chr,
    start,
    "end"
FROM peaks
WHERE chr = $chr
ORDER BY greatest(start - $end, $start - "end"), start, peak_id
LIMIT 1;
