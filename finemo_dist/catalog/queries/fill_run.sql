-- Question: none; fills run_table.
-- Contract: the width of an untrimmed CWM, which no hit exceeds.
INSERT INTO run_table VALUES ($motif_width);
