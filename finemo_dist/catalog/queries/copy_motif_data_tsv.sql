-- Question: which motifs were called, as lines of finemo's motif_data.tsv?
-- Contract: writes $path, no header, by motif_id.
COPY (
    SELECT
        motif_id, cell(motif_name), cell(motif_name_orig), strand, motif_start, motif_end, motif_scale, "lambda"
    FROM motifs
    ORDER BY motif_id
) TO $path (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR 'NA');
