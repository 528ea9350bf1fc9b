-- Question: how many hits are staged of each chromosome, and without one of each 10,000 regions?
-- Contract: (chr, block of regions, hits); the block is 0 with a chromosome. No order.
SELECT chr, CASE WHEN chr IS NULL THEN peak_id // 10000 ELSE 0 END AS block, count(*)
FROM staged
GROUP BY ALL;
