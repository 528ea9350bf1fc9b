-- Question: how many hits does no overlapping hit beat?
-- Contract: one row, one number. Needs the view hits_primary.
SELECT count(*) FROM hits_primary;
