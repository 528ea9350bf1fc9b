-- Question: none; marks hits that a rule drops.
-- Contract: those of the table filtered whose "row" the view dropped_rows has get the number $rule.
UPDATE filtered SET dropped_by = $rule WHERE "row" IN (SELECT "row" FROM dropped_rows);
