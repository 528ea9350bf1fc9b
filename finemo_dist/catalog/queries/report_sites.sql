-- Question: where are the hits of motifs in the regions $peaks of a sample?
-- Contract: (peak_id, rank of the motif, offset of the untrimmed CWM, is_reverse, kind); $first and
-- $last are the least and largest of $peaks and only save work. Kind is 0
-- for every hit, 1 again for a hit inside the shared window that is no seqlet, 2 for a seqlet
-- that is no hit. A total order.
WITH chosen_hits AS (
    SELECT *
    FROM report_hits
    WHERE sample = $sample AND peak_id BETWEEN $first AND $last
        AND peak_id IN (SELECT unnest($peaks))
),
chosen_seqlets AS (
    SELECT *
    FROM report_seqlets
    WHERE sample = $sample AND peak_id BETWEEN $first AND $last
        AND peak_id IN (SELECT unnest($peaks))
)
SELECT peak_id, rank, "offset", strand = '-' AS is_reverse, 0::TINYINT AS kind
FROM chosen_hits
UNION ALL
SELECT peak_id, rank, "offset", strand = '-', 1::TINYINT
FROM chosen_hits
WHERE is_restricted AND NOT EXISTS (
    SELECT 1
    FROM report_seqlets AS s
    WHERE s.sample = chosen_hits.sample
        AND s.rank = chosen_hits.rank
        AND s.chr IS NOT DISTINCT FROM chosen_hits.chr
        AND s.alone IS NOT DISTINCT FROM chosen_hits.alone
        AND s.start_untrimmed = chosen_hits.start_untrimmed
        AND s.strand = chosen_hits.strand
)
UNION ALL
SELECT peak_id, rank, "offset", strand = '-', 2::TINYINT
FROM chosen_seqlets
WHERE NOT EXISTS (
    SELECT 1
    FROM report_hits AS h
    WHERE h.sample = chosen_seqlets.sample
        AND h.rank = chosen_seqlets.rank
        AND h.chr IS NOT DISTINCT FROM chosen_seqlets.chr
        AND h.alone IS NOT DISTINCT FROM chosen_seqlets.alone
        AND h.start_untrimmed = chosen_seqlets.start_untrimmed
        AND h.strand = chosen_seqlets.strand
)
ORDER BY peak_id, rank, "offset", is_reverse, kind;
