-- Question: where do the hits of the view piece start, and how long are they?
-- Contract: the first start and the last, and the length of the longest hit; null where there is none.
SELECT min(start), max(start), max("end" - start) FROM piece;
