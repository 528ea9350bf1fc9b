-- Question: how many hits of each motif does each rule drop?
-- Contract: (motif_name, dropped_by, hits); dropped_by is null for those that are kept. By motif and rule.
SELECT motif_name, dropped_by, count(*) AS n_hits
FROM filtered
GROUP BY ALL
ORDER BY ALL;
