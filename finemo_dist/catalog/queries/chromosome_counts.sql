-- Question: how many hits of a sample lie on each chromosome?
-- Contract: (chr_id, hits), by chr_id; chr_id is -1 without coordinates.
SELECT chr_id, count(*) AS n_hits
FROM hits
WHERE sample = $sample
GROUP BY chr_id
ORDER BY chr_id;
