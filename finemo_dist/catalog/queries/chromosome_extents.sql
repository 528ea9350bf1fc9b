-- Question: how many hits lie on each chromosome, all samples together, and how far do they reach?
-- Contract: (chr, hits, furthest end), by name, byte by byte.
SELECT chr, count(*) AS n_hits, max("end") AS furthest
FROM hits
WHERE chr IS NOT NULL
GROUP BY chr
ORDER BY chr;
