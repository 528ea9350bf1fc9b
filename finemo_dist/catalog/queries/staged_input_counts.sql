-- Question: how many hits has an input on each chromosome, and without one in each 10,000 regions?
-- Contract: (chr, block of regions, hits); the block is 0 with a chromosome. No order.
SELECT chr, CASE WHEN chr IS NULL THEN peak_id // 10000 ELSE 0 END AS block, count(*)
FROM staged
WHERE input = $input
GROUP BY ALL;
