-- Question: as hits_unique, once the table repeated holds what a chunk holds more than once.
-- Contract: makes the temporary view unique_in_chunk: on the chromosomes and of the sample of
-- repeated the rows of hits_unique. Few hits are repeated: only they are compared by unique.sql,
-- and all others pass.
CREATE OR REPLACE TEMP VIEW unique_in_chunk AS
SELECT hits.*
FROM hits
ANTI JOIN repeated_place USING (chr_id, start, motif_id)
WHERE chr IS NOT NULL
UNION ALL
SELECT * FROM unique_of('repeated');
