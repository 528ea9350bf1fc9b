-- Question: how many hits does each sample have that has any?
-- Contract: one row per sample, as the footers of its parts say. No order.
CREATE VIEW counted_samples AS
SELECT sample, n_hits FROM sample_table WHERE n_hits > 0;
