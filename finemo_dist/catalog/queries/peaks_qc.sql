-- Question: how well was each region solved?
-- Contract: one row per region of every committed unit, the columns of finemo's peaks_qc.tsv
-- between sample and n_hits. No order.
CREATE VIEW peaks_qc AS
SELECT
    part_files.sample,
    nll,
    dual_gap,
    num_steps,
    step_size,
    global_scale,
    peak_id,
    chr,
    peak_region_start,
    peak_name,
    converged,
    n_hits,
    chr_id
FROM qc_parts
JOIN part_files USING (filename);
