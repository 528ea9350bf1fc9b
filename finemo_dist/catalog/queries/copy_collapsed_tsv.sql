-- Question: the hits of the table piece as lines of finemo's hits.tsv, with is_primary.
-- Contract: writes $path, no header; is_primary is 1 or 0, by collapse.sql. In the order of piece.
-- Null is NA; names are written as they are.
COPY (
    WITH best AS (
        SELECT "row"
        FROM primary_of('piece', $overlap_ppm, (SELECT max("end" - start) FROM piece))
    )
    SELECT
        chr, start, "end", start_untrimmed, end_untrimmed, motif_name, hit_coefficient,
        hit_coefficient_global, hit_similarity, hit_correlation, hit_importance,
        hit_importance_sq, strand, peak_name, peak_id,
        CASE WHEN best."row" IS NULL THEN 0 ELSE 1 END AS is_primary
    FROM piece
    LEFT JOIN best ON best."row" = piece."row"
    ORDER BY piece."row"
) TO $path (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR 'NA');
