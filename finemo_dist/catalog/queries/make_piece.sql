-- Question: none; some chromosomes of a sample as a table to work on.
-- Contract: makes the temporary table piece: the columns of hits and "row", which numbers the rows
-- in the order of finemo's hits.tsv: by chromosome, region where there is no chromosome, start,
-- end, motif, peak. The order is total.
CREATE OR REPLACE TEMP TABLE piece AS
SELECT
    *,
    row_number() OVER (
        ORDER BY
            chr_id, CASE WHEN chr IS NULL THEN peak_id END, start, "end", motif_id, peak_id,
            start_untrimmed, hit_coefficient, hit_similarity, hit_importance, hit_importance_sq
    ) AS "row"
FROM hits
WHERE sample = $sample AND chr_id BETWEEN $first AND $last;
