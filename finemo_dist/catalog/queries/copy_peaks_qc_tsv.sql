-- Question: how well was each region of a sample solved, as lines of finemo's peaks_qc.tsv?
-- Contract: writes $path, no header; finemo's columns and then converged. By chromosome, start,
-- peak. Null is NA.
COPY (
    SELECT
        nll, dual_gap, num_steps, step_size, global_scale, peak_id, chr, peak_region_start,
        cell(peak_name), converged
    FROM peaks_qc
    WHERE sample = $sample
    ORDER BY chr_id, peak_region_start, peak_id, nll, dual_gap
) TO $path (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR 'NA');
