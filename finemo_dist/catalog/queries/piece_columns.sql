-- Question: what of the table piece decides which hits overlap and which is best?
-- Contract: the columns of RivalHits, by row: so by place and start, as make_piece.sql numbers them.
WITH name AS (
    SELECT motif_id, (dense_rank() OVER (ORDER BY motif_name, strand))::INTEGER AS name_rank
    FROM (SELECT DISTINCT motif_id, motif_name, strand FROM piece)
)
SELECT
    CASE WHEN chr IS NULL THEN peak_id ELSE chr_id END::BIGINT AS place,
    start,
    "end",
    start_untrimmed,
    name_rank,
    hit_similarity,
    hit_coefficient,
    hit_coefficient_global,
    peak_id,
    "row"
FROM piece
JOIN name USING (motif_id)
ORDER BY "row";
