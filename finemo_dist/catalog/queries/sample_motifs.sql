-- Question: with which motifs was each sample called, and with which settings of theirs?
-- Contract: one row per sample, motif and strand. motif_id and motif_name are those of the run; trims,
-- scale and lambda those of the sample. No order.
CREATE VIEW sample_motifs AS
SELECT
    sample,
    coalesce(run_id, motif_parts.motif_id) AS motif_id,
    coalesce(run_name, motif_parts.motif_name) AS motif_name,
    strand,
    motif_start,
    motif_end,
    motif_scale,
    motif_parts."lambda",
    motif_files.motif_set
FROM sample_table
JOIN motif_files USING (motif_set)
JOIN motif_parts USING (filename)
LEFT JOIN motif_places
    ON motif_places.motif_set = motif_files.motif_set AND own_id = motif_parts.motif_id;
