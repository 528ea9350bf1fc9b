-- Question: which hits are left, or which did rules drop?
-- Contract: the rows of filtered whose dropped_by is null if $is_kept, else the others; by "row".
SELECT * FROM filtered WHERE (dropped_by IS NULL) = $is_kept ORDER BY "row";
