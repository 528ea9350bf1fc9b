-- Question: how many hits of a sample lie in each window?
-- Contract: (chr, chr_id, window, hits). A window has 2^24 bases, or without a chromosome 2^13
-- regions; hits lie where they start, relaxed where they start untrimmed. $table is hits or
-- hits_unique. No order.
SELECT
    chr,
    chr_id,
    CASE
        WHEN chr IS NULL THEN peak_id::BIGINT >> 13
        WHEN $is_relaxed THEN floor(start_untrimmed / 16777216)::BIGINT
        ELSE floor(start / 16777216)::BIGINT
    END AS "window",
    count(*)
FROM query_table($table)
WHERE sample = $sample
GROUP BY ALL;
