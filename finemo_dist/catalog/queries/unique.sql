-- Question: which hits remain when overlapping peaks report the same site more than once?
-- Contract: makes the table macro unique_of(hits_table): the rows of a table or view of hits, by
-- its name, one per sample, chromosome, start, motif and strand: the largest
-- hit_coefficient_global, then the lowest peak_id. The order is total, so the same row survives
-- whatever the order of the input. Hits without a chromosome have no place to share and are left
-- out. No order.
-- chr_id follows from chr; it is named so that a range of it skips row groups.
CREATE MACRO unique_of(hits_table) AS TABLE
SELECT *
FROM query_table(hits_table)
WHERE chr IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY sample, chr_id, chr, start, motif_name, strand
    ORDER BY
        hit_coefficient_global DESC, peak_id, start_untrimmed, motif_id, hit_coefficient DESC,
        hit_similarity DESC, hit_importance DESC, hit_importance_sq DESC
) = 1;
