-- Question: the table flagged as a file to be merged with those of other samples.
-- Contract: writes $path: the columns of PLACED_COLUMNS, sorted by "row".
COPY (
    SELECT
        sample, chr, start, "end", start_untrimmed, end_untrimmed, motif_name, hit_coefficient,
        hit_coefficient_global, hit_similarity, hit_importance, hit_importance_sq, strand,
        peak_name, peak_id, motif_id, chr_id, is_unique, is_primary
    FROM flagged
    ORDER BY "row"
) TO $path (FORMAT parquet, COMPRESSION lz4, ROW_GROUP_SIZE 30720);
