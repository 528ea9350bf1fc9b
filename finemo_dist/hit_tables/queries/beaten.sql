-- Question: which hits of the view $hits does an overlapping hit beat?
-- Contract: ("row"), each once, by the rule of catalog/queries/collapse.sql; $hits is piece or
-- scored_piece. No order.
SELECT "row" FROM beaten_in($hits, $overlap_ppm);
