-- Question: none; the hits of some samples on one chromosome as a table to work on.
-- Contract: makes the temporary table piece: the columns of part_rows, with motifs as their own set
-- counts and names them, and "row", which numbers the rows in the order of files by place: region
-- where there is no chromosome, start, end, sample, motif, peak. The order is total.
CREATE OR REPLACE TEMP TABLE piece AS
SELECT
    *,
    row_number() OVER (
        ORDER BY
            CASE WHEN chr IS NULL THEN sample END, CASE WHEN chr IS NULL THEN peak_id END,
            start, "end", sample, motif_id, peak_id, start_untrimmed, hit_coefficient,
            hit_similarity, hit_importance, hit_importance_sq
    ) AS "row"
FROM part_rows
WHERE chr IS NOT DISTINCT FROM $chr AND sample IN (SELECT unnest($samples));
