-- Question: which hits does an overlapping hit beat?
-- Contract: ("row"), of each pair of hits one and other in the table pairs the one that is beaten, if
-- they overlap; by the rule of catalog/queries/collapse.sql. A hit may come again. No order.
SELECT CASE WHEN beats(one, other) THEN other."row" ELSE one."row" END AS "row"
FROM pairs
WHERE overlap_of(one, other, $overlap_ppm);
