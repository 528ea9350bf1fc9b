-- Question: how many hits are there, as the footers of the parts say?
-- Contract: (hits). Samples without a hit are left out, as they are where hits are grouped by sample.
SELECT coalesce(sum(n_hits), 0)::BIGINT
FROM counted_samples;
