-- Question: how many hits and seqlets does each motif have, and how many are both?
-- Contract: one row per motif, in their order: (motif_name, hits, hits inside the shared window,
-- seqlets, seqlets that are a hit inside it, seqlets that are no hit at all). A seqlet is a hit
-- when motif, strand and the first base of the untrimmed CWM agree.
WITH shared AS (
    SELECT rank, sample, chr, alone, start_untrimmed, strand, is_restricted
    FROM report_hits
),
seqlet_hits AS (
    SELECT report_seqlets.rank, shared.is_restricted
    FROM report_seqlets
    LEFT JOIN shared
        ON shared.rank = report_seqlets.rank
        AND shared.sample = report_seqlets.sample
        AND shared.chr IS NOT DISTINCT FROM report_seqlets.chr
        AND shared.alone IS NOT DISTINCT FROM report_seqlets.alone
        AND shared.start_untrimmed = report_seqlets.start_untrimmed
        AND shared.strand = report_seqlets.strand
),
seqlet_counts AS (
    SELECT
        rank,
        count(*) AS n_seqlets,
        count(*) FILTER (WHERE is_restricted) AS n_overlaps,
        count(*) FILTER (WHERE is_restricted IS NULL) AS n_seqlets_only
    FROM seqlet_hits
    GROUP BY rank
),
hit_counts AS (
    SELECT rank, count(*) AS n_hits, count(*) FILTER (WHERE is_restricted) AS n_restricted
    FROM report_hits
    GROUP BY rank
)
SELECT
    motif_name,
    coalesce(n_hits, 0),
    coalesce(n_restricted, 0),
    coalesce(n_seqlets, 0),
    coalesce(n_overlaps, 0),
    coalesce(n_seqlets_only, 0)
FROM (SELECT DISTINCT motif_name, rank FROM report_motifs) AS called
LEFT JOIN hit_counts USING (rank)
LEFT JOIN seqlet_counts USING (rank)
ORDER BY rank;
