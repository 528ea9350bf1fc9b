-- Question: how many hits of a sample lie on each chromosome?
-- Contract: (chr_id, chr, hits), in output order; chr is empty where there is none.
SELECT chr_id, coalesce(chr, ''), count(*)
FROM hits
WHERE sample = $sample
GROUP BY chr_id, chr
ORDER BY chr_id, chr;
