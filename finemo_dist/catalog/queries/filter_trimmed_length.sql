-- Question: which hits are of a motif with few bases?
-- Contract: ("row") of remaining whose trimmed motif has less than $value bases.
SELECT "row" FROM remaining WHERE "end" - start < $value;
