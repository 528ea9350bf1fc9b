-- Question: which hits overlap my intervals or variants?
-- Contract: one row per hit of hits_unique and interval that share at least one base. A BED is
-- 0-based and half-open as hits are; a VCF record stands for the bases of its REF, from POS - 1, or
-- to its END where ALT is symbolic. By sample, hit, then line of the file.
-- Parameter: file (intervals, required): BED or VCF, plain or gzipped
-- Parameter: sample (sample, all): only hits of this sample
-- Parameter: motif (motif, all): only hits of this motif
-- Column: sample: name of the sample
-- Column: chr: chromosome
-- Column: start: first base of the trimmed motif, 0-based
-- Column: end: base after the last of the trimmed motif
-- Column: strand: + or -
-- Column: motif_name: name of the motif
-- Column: hit_coefficient_global: coefficient of the hit, comparable between regions
-- Column: hit_similarity: cosine of the contributions with the trimmed CWM
-- Column: interval_start: first base of the interval, 0-based
-- Column: interval_end: base after the last of the interval
-- Column: interval_name: fourth column of the BED, or CHROM:POS:REF:ALT of the VCF; null if none
-- Column: offset: first base of the interval less that of the hit, in the direction of the motif
-- Column: line: line of the interval in the file
-- Column: display_name: name of the motif that people read
-- Intervals and hits meet in bins of 4,096 bases: an equality, so that the join can spill.
WITH
binned AS (
    SELECT *, unnest(range(start // 4096, ("end" - 1) // 4096 + 1)) AS bin
    FROM intervals
    WHERE start < "end"
),
placed AS (
    SELECT *, unnest(range(greatest(start, 0) // 4096, ("end" - 1) // 4096 + 1)) AS bin
    FROM hits_unique
    WHERE "end" > 0
        AND (
            getvariable('parameters').sample::VARCHAR IS NULL
            OR sample = getvariable('parameters').sample::VARCHAR
        )
        AND (
            getvariable('parameters').motif::VARCHAR IS NULL
            OR motif_name = getvariable('parameters').motif::VARCHAR
        )
)
SELECT
    h.sample,
    h.chr,
    h.start,
    h."end",
    h.strand,
    h.motif_name,
    h.hit_coefficient_global,
    h.hit_similarity,
    i.start AS interval_start,
    i."end" AS interval_end,
    i.name AS interval_name,
    CASE h.strand WHEN '+' THEN i.start - h.start ELSE h."end" - i."end" END AS "offset",
    i.line,
    motifs.display_name
FROM placed AS h
JOIN binned AS i ON h.chr = i.chr AND h.bin = i.bin
JOIN motifs USING (motif_id)
-- A pair that shares several bins counts in the first of them.
WHERE h.start < i."end" AND i.start < h."end"
    AND h.bin = greatest(greatest(h.start, 0) // 4096, i.start // 4096)
ORDER BY h.sample, h.chr_id, h.start, h."end", h.motif_id, i.line
