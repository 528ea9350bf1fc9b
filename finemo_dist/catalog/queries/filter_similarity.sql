-- Question: which hits have a smaller hit_similarity?
-- Contract: ("row") of remaining below $value.
SELECT "row" FROM remaining WHERE hit_similarity < $value;
