-- Question: how many hits are left after each step?
-- Contract: one row: (hits, hits in converged regions, those of hits that are unique by place).
SELECT
    (SELECT count(*) FROM hits),
    (
        SELECT count(*)
        FROM hits
        JOIN (SELECT sample, peak_id FROM peaks_qc WHERE converged) USING (sample, peak_id)
    ),
    (SELECT count(*) FROM report_hits);
