-- Question: how many hits of each motif does each sample have?
-- Contract: (sample, motif_name, hits), sorted; pairs without a hit are left out.
SELECT sample, motif_name, count(*)
FROM hits
GROUP BY sample, motif_name
ORDER BY sample, motif_name;
