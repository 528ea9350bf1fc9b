-- Question: what did each rule drop, in all samples?
-- Contract: (rule_number, rule, hits before, hits dropped), in order; no row in a run that was called.
SELECT rule_number, rule, sum(n_before)::BIGINT, sum(n_dropped)::BIGINT
FROM filter_funnel
GROUP BY rule_number, rule
ORDER BY rule_number;
