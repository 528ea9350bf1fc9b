-- Question: where do the regions lie?
-- Contract: one row per region of every committed unit; start is negative where a region reaches
-- over the start of its chromosome, and 0 without coordinates. No order.
CREATE VIEW peaks AS
SELECT
    peaks_qc.sample,
    peak_id,
    chr,
    chr_id,
    peak_region_start AS start,
    peak_region_start + sample_table.region_width AS "end",
    peak_name AS name
FROM peaks_qc
JOIN sample_table USING (sample);
