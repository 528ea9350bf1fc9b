-- Question: how many hits of each motif are in each region of a sample?
-- Contract: (peak_id, rank of the motif, hits), by peak_id then rank, for $first <= peak_id <
-- $last; every hit of a region counts, also those that an overlapping region holds too.
SELECT hits.peak_id, report_motifs.rank, count(*)::INTEGER AS n
FROM hits
JOIN report_motifs
    ON report_motifs.motif_name = hits.motif_name AND report_motifs.strand = hits.strand
WHERE hits.sample = $sample AND hits.peak_id >= $first AND hits.peak_id < $last
GROUP BY hits.peak_id, report_motifs.rank
ORDER BY hits.peak_id, report_motifs.rank;
