-- Question: which motifs were called?
-- Contract: one row per motif and strand, the columns of finemo's motif_data.tsv and
-- whether it is a palindrome. No order.
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
    is_palindrome
FROM motif_parts;
