-- Question: which hits have a smaller hit_score?
-- Contract: ("row") of remaining below $value.
SELECT "row" FROM remaining WHERE hit_score < $value;
