-- Question: how far apart are hits of two motifs, and how do they face each other?
-- Contract: (motif_name_a, motif_name_b, orientation, distance, pairs), motif_name_a <=
-- motif_name_b, of the $most_pairs pairs of motifs that are found together most, sorted. Hits whose
-- trimmed CWMs share no base, at most $most_bp bases between centres, each place once.
-- Orientation: same; convergent, the first on the genome on + and the second on -; divergent.
WITH placed AS (
    SELECT
        sample,
        chr,
        alone,
        motif_name,
        strand,
        start_untrimmed + motif_start AS start,
        start_untrimmed + motif_end AS "end",
        2 * start_untrimmed + motif_start + motif_end AS twice_centre
    FROM report_hits
    JOIN report_motifs USING (motif_name, strand)
),
binned AS (
    SELECT *, twice_centre // (2 * $most_bp) AS bin FROM placed
),
pairs AS (
    SELECT
        least(a.motif_name, b.motif_name) AS motif_name_a,
        greatest(a.motif_name, b.motif_name) AS motif_name_b,
        CASE
            WHEN a.strand = b.strand THEN 'same'
            WHEN a.strand = '+' THEN 'convergent'
            ELSE 'divergent'
        END AS orientation,
        (b.twice_centre - a.twice_centre) // 2 AS distance
    FROM (SELECT *, unnest([bin, bin + 1]) AS meets FROM binned) AS a
    JOIN binned AS b
        ON a.sample = b.sample
        AND a.chr IS NOT DISTINCT FROM b.chr
        AND a.alone IS NOT DISTINCT FROM b.alone
        AND a.meets = b.bin
    WHERE a."end" <= b.start AND b.twice_centre - a.twice_centre <= 2 * $most_bp
),
counted AS (
    SELECT motif_name_a, motif_name_b, orientation, distance, count(*) AS n
    FROM pairs
    GROUP BY ALL
),
chosen AS (
    SELECT motif_name_a, motif_name_b
    FROM counted
    GROUP BY motif_name_a, motif_name_b
    ORDER BY sum(n) DESC, motif_name_a, motif_name_b
    LIMIT $most_pairs
)
SELECT motif_name_a, motif_name_b, orientation, distance, n
FROM counted
JOIN chosen USING (motif_name_a, motif_name_b)
ORDER BY motif_name_a, motif_name_b, orientation, distance;
