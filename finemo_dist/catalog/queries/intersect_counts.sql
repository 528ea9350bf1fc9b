-- Question: how many hits of a sample lie in each window?
-- Contract: (chr, chr_id, window, hits). A window has $window_bases, or without a chromosome
-- $window_peaks regions; hits lie where they start, relaxed where they start untrimmed. $table is
-- hits or hits_unique. No order.
SELECT
    chr,
    chr_id,
    CASE
        WHEN chr IS NULL THEN peak_id // $window_peaks
        WHEN $is_relaxed THEN floor(start_untrimmed / $window_bases)::BIGINT
        ELSE floor(start / $window_bases)::BIGINT
    END AS "window",
    count(*)
FROM query_table($table)
WHERE sample = $sample
GROUP BY ALL;
