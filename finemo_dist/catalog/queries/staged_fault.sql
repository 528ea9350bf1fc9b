-- Question: which line is the first without a length?
-- Contract: (row from 0, start, end); one row.
SELECT rowid, start, "end"
FROM staged
WHERE NOT coalesce("end" > start, false)
ORDER BY rowid
LIMIT 1;
