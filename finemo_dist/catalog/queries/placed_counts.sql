-- Question: how many hits does each sample have on each chromosome?
-- Contract: (chr, sample, hits), by chromosome and sample, byte by byte; chr is null without
-- coordinates.
SELECT chr, sample, count(*) AS n_hits
FROM part_rows
GROUP BY ALL
ORDER BY chr NULLS LAST, sample;
