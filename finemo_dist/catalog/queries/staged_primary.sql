-- Question: which hits of the table piece are primary?
-- Contract: their "row", by collapse.sql. No order.
SELECT "row" FROM primary_of('piece', $overlap_ppm, $widest);
