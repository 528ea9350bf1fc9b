-- Question: which motifs were called, and what are they thought to be?
-- Contract: one row per motif and strand, the columns of finemo's motif_data.tsv, whether it is a
-- palindrome, then the columns of the run's annotation, null where it has none. No order.
CREATE VIEW motifs AS
SELECT
    motif_id,
    motif_name,
    motif_name_orig,
    strand,
    motif_start,
    motif_end,
    motif_scale,
    "lambda",
    is_palindrome,
    tf,
    family,
    cluster
FROM motif_parts
LEFT JOIN annotation_parts USING (motif_name);
