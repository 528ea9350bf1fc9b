-- Question: which motifs are called where modisco saw which?
-- Contract: (motif of the seqlets, motif of the hits, pairs per seqlet of that motif), by the
-- order of motifs; pairs without a count are left out. finemo's measure: the genome (or the
-- region, without coordinates) is cut into bins of $motif_width bases, and a pair is a seqlet and
-- a hit, counted once, whose untrimmed CWMs begin in one bin, on either strand.
SELECT
    seqlets.motif_name,
    hits.motif_name,
    count(*) / any_value(totals.n)
FROM report_seqlets AS seqlets
JOIN report_hits AS hits
    ON hits.sample = seqlets.sample
    AND hits.chr IS NOT DISTINCT FROM seqlets.chr
    AND hits.alone IS NOT DISTINCT FROM seqlets.alone
    AND hits.start_untrimmed // $motif_width = seqlets.start_untrimmed // $motif_width
JOIN (SELECT rank, count(*) AS n FROM report_seqlets GROUP BY rank) AS totals
    ON totals.rank = seqlets.rank
GROUP BY seqlets.motif_name, seqlets.rank, hits.motif_name, hits.rank
ORDER BY seqlets.rank, hits.rank;
