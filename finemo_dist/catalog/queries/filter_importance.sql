-- Question: which hits have a smaller hit_importance?
-- Contract: ("row") of remaining below $value.
SELECT "row" FROM remaining WHERE hit_importance < $value;
