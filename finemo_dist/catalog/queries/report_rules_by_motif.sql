-- Question: what did rules drop of each motif, in all samples?
-- Contract: (motif_name, hits before, hits dropped), those of which most were dropped first.
SELECT
    motif_name,
    sum(n_before) FILTER (rule_number = 1)::BIGINT AS n_before,
    sum(n_dropped)::BIGINT AS n_dropped
FROM filter_funnel
GROUP BY motif_name
ORDER BY n_dropped DESC, motif_name;
