-- Question: which hits of a sample count once, and where do they lie in their regions?
-- Contract: fills report_hits with one row per place, motif and strand, of the chromosomes $first
-- to $last: of several overlapping regions that hold the hit, the one hits_unique keeps. alone is
-- the region where there is no chromosome, and null otherwise; offset counts from the first base
-- of the region to the first of the untrimmed CWM. is_restricted: in at least one region the
-- untrimmed CWM lies in the middle $window_bp bases.
INSERT INTO report_hits
SELECT
    sample,
    chr,
    alone,
    peak_id,
    motif_name,
    rank,
    strand,
    start_untrimmed,
    "offset",
    bool_or(is_inside) OVER (PARTITION BY chr, alone, start_untrimmed, motif_name, strand)
FROM (
    SELECT
        hits.*,
        CASE WHEN hits.chr IS NULL THEN hits.peak_id END AS alone,
        report_motifs.rank,
        hits.start_untrimmed - peaks.start AS "offset",
        hits.start_untrimmed - peaks.start >= (peaks."end" - peaks.start - $window_bp) // 2
        AND hits.end_untrimmed - peaks.start
        <= (peaks."end" - peaks.start - $window_bp) // 2 + $window_bp AS is_inside
    FROM hits
    JOIN peaks ON peaks.sample = $sample AND peaks.peak_id = hits.peak_id
    JOIN report_motifs
        ON report_motifs.motif_name = hits.motif_name AND report_motifs.strand = hits.strand
    WHERE hits.sample = $sample AND hits.chr_id BETWEEN $first AND $last
)
QUALIFY row_number() OVER (
    PARTITION BY chr, alone, start_untrimmed, motif_name, strand
    ORDER BY
        hit_coefficient_global DESC, peak_id, motif_id, hit_coefficient DESC,
        hit_similarity DESC, hit_importance DESC, hit_importance_sq DESC
) = 1;
