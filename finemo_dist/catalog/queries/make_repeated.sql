-- Question: which hits of a sample on a range of chromosomes are at the places of the view
-- repeated_place, (chr_id, start, motif_id)?
-- Contract: makes the temporary table repeated: the columns of hits, every copy. No order.
CREATE OR REPLACE TEMP TABLE repeated AS
SELECT hits.*
FROM hits
SEMI JOIN repeated_place USING (chr_id, start, motif_id)
WHERE sample = $sample AND chr_id BETWEEN $first AND $last AND chr IS NOT NULL;
