-- Question: which hits have a larger q?
-- Contract: ("row") of remaining with a decoy_q above $value, or decoy_q_pooled where the motif has no
-- q of its own; or with none.
SELECT "row" FROM remaining WHERE NOT coalesce(coalesce(decoy_q, decoy_q_pooled) <= $value, false);
