-- Question: where in their regions do the hits of one part lie, untrimmed?
-- Contract: the variable chunk has the field path.
-- (peak_id, motif_id, first base in the genome, or in the region without coordinates).
SELECT peak_id::BIGINT AS peak_id, motif_id, start_untrimmed
FROM hit_parts
WHERE filename = getvariable('chunk').path
ORDER BY peak_id, motif_id, start_untrimmed;
