-- Question: as staged_input_counts.sql, of a sample of a run.
-- Contract: $table is hits or hits_unique.
SELECT chr, CASE WHEN chr IS NULL THEN peak_id // 10000 ELSE 0 END AS block, count(*)
FROM query_table($table)
WHERE sample = $sample
GROUP BY ALL;
