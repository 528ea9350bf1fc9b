-- Question: none; the hits of a sample as a table that rules are applied to.
-- Contract: makes the table filtered: the columns of hits and of confidence, "row" from 0, and
-- dropped_by, the number of the rule that drops the hit, null as long as none does. It is no temporary table, because predicates of users
-- have a connection of their own.
CREATE OR REPLACE TABLE filtered AS
SELECT
    *,
    (row_number() OVER (ORDER BY peak_id, start_untrimmed, motif_id)) - 1 AS "row",
    NULL::INTEGER AS dropped_by
FROM with_confidence('hits')
WHERE sample = $sample
ORDER BY "row";
