-- Question: which hits has no rule dropped so far?
-- Contract: makes the view remaining: the columns of filtered but dropped_by.
CREATE OR REPLACE VIEW remaining AS
SELECT * EXCLUDE (dropped_by) FROM filtered WHERE dropped_by IS NULL;
