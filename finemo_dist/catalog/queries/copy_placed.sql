-- Question: the hits of all samples on a stretch of a chromosome, as a file by place.
-- Contract: writes $path: the rows of the files that the variable pieces lists with a start from
-- $first to before $end, in the order of make_placed_piece.sql, in row groups small enough that a locus
-- touches one or two.
COPY (
    SELECT *
    FROM read_parquet(getvariable('pieces'))
    WHERE start >= $first AND start < $end
    ORDER BY
        CASE WHEN chr IS NULL THEN sample END, CASE WHEN chr IS NULL THEN peak_id END,
        start, "end", sample, motif_id, peak_id, start_untrimmed, hit_coefficient,
        hit_similarity, hit_importance, hit_importance_sq
) TO $path (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 30720);
