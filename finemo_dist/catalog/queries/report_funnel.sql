-- Question: how many hits are left after each step?
-- Contract: one row: (hits, hits in converged regions, hits that are unique by place, hits that no
-- overlapping hit beats). A hit counts in every region it was called in up to the third.
SELECT
    (SELECT coalesce(sum(n_hits), 0)::BIGINT FROM peaks_qc),
    (SELECT coalesce(sum(n_hits) FILTER (converged), 0)::BIGINT FROM peaks_qc),
    (SELECT count(*) FROM report_hits),
    (SELECT count(*) FROM hits_primary);
