-- Question: which hits of the view piece does an overlapping hit beat?
-- Contract: ("row"), each once, by the rule of catalog/queries/collapse.sql. No order.
SELECT "row" FROM beaten_in('piece', $overlap_ppm);
