-- Question: where do the seqlets of modisco lie that the run could have found?
-- Contract: fills report_seqlets from lists of one length ($pattern, $region, $start, $end,
-- $is_reverse): one row per place, motif and strand, of called motifs, in committed regions of
-- $sample, inside the middle $window_bp bases. The width of a CWM is $motif_width: the untrimmed
-- seqlet is that wide from its first base, its trimmed window that of the motif on its strand.
-- Answers with the number of rows.
INSERT INTO report_seqlets
SELECT DISTINCT
    peaks.sample,
    peaks.chr,
    CASE WHEN peaks.chr IS NULL THEN peaks.peak_id END,
    peaks.peak_id,
    report_motifs.motif_name,
    report_motifs.rank,
    report_motifs.strand,
    peaks.start + found."offset" + report_motifs.motif_start,
    peaks.start + found."offset" + report_motifs.motif_end,
    peaks.start + found."offset",
    peaks.start + found."offset" + $motif_width,
    peaks.start,
    found."offset"
FROM (
    SELECT
        given.*,
        given.start + ($region_width - $window_bp) // 2 AS "offset"
    FROM (
        SELECT
            unnest($pattern) AS pattern,
            unnest($region) AS region,
            unnest($start) AS start,
            unnest($end) AS "end",
            unnest($is_reverse) AS is_reverse
    ) AS given
    WHERE given.start >= 0 AND given."end" <= $window_bp
) AS found
JOIN report_motifs
    ON report_motifs.motif_name_orig = found.pattern
    AND report_motifs.strand = CASE WHEN found.is_reverse THEN '-' ELSE '+' END
JOIN peaks ON peaks.sample = $sample AND peaks.peak_id = found.region
WHERE found."offset" >= 0 AND found."offset" + $motif_width <= $region_width;
