-- Question: which hits of a sample on a range of chromosomes share their place, motif and strand?
-- Contract: makes the temporary table repeated: the columns of hits, every copy. In a sample
-- motif_id stands for motif and strand. No order.
CREATE OR REPLACE TEMP TABLE repeated AS
WITH place AS (
    SELECT chr_id, start, motif_id
    FROM hits
    WHERE sample = $sample AND chr_id BETWEEN $first AND $last AND chr IS NOT NULL
    GROUP BY ALL
    HAVING count(*) > 1
)
SELECT hits.*
FROM hits
SEMI JOIN place USING (chr_id, start, motif_id)
WHERE sample = $sample AND chr_id BETWEEN $first AND $last AND chr IS NOT NULL;
