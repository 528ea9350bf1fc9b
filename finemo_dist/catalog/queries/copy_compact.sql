-- Question: the hits of the table flagged on one chromosome, as a compacted file.
-- Contract: writes $path: the columns of COMPACT_COLUMNS, sorted as make_piece.sql numbers them, in
-- row groups small enough that a locus touches one or two.
COPY (
    SELECT
        chr, start, "end", start_untrimmed, end_untrimmed, motif_name, hit_coefficient,
        hit_coefficient_global, hit_similarity, hit_importance, hit_importance_sq, strand,
        peak_name, peak_id, motif_id, chr_id, is_unique, is_primary
    FROM flagged
    WHERE chr_id = $chr_id
    ORDER BY "row"
) TO $path (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 30720);
