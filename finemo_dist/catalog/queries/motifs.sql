-- Question: which motifs were called, and what are they thought to be?
-- Contract: one row per motif and strand of every set, the columns of finemo's motif_data.tsv,
-- whether it is a palindrome, the file it comes from, the columns of the run's annotation, null where it has none, then the
-- set and the name in it. motif_id and motif_name are of one set only. No order.
CREATE VIEW motifs AS
SELECT
    motif_parts.motif_id + motif_files.first_motif_id AS motif_id,
    motif_files.name_prefix || motif_parts.motif_name AS motif_name,
    motif_name_orig,
    strand,
    motif_start,
    motif_end,
    motif_scale,
    "lambda",
    is_palindrome,
    source,
    tf,
    family,
    cluster,
    motif_files.motif_set,
    motif_parts.motif_name AS name_in_set
FROM motif_parts
JOIN motif_files USING (filename)
LEFT JOIN annotation_parts
    ON annotation_parts.motif_name = motif_files.annotation_prefix || motif_parts.motif_name;
