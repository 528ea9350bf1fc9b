-- Question: where are the regions of these names, or with these numbers?
-- Contract: (name, peak_id, chr, start, end), one row per place of a region whose name is in $names
-- or whose peak_id is in $peaks; places that samples share are listed once.
SELECT
    name,
    peak_id,
    chr,
    start,
    "end"
FROM peaks
WHERE list_contains($names::VARCHAR[], name) OR list_contains($peaks::BIGINT[], peak_id)
GROUP BY ALL
ORDER BY ALL;
