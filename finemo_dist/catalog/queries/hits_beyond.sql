-- Question: which hit begins beyond the end of its chromosome?
-- Contract: (sample, chr, start, length) of one of them, or no row.
SELECT sample, chr, start, length
FROM hits
JOIN chromosome_ends USING (sample, chr)
WHERE start >= length
ORDER BY ALL
LIMIT 1;
