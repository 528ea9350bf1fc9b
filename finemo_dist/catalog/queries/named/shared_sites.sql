-- Question: at how many sites do two samples agree?
-- Contract: one row per pair of samples with coordinates that were called with a motif in common;
-- only sites of such motifs count. A site is a chromosome, motif, strand and the place of the first
-- column of its untrimmed CWM, which neither lambda nor trims move. By Jaccard index, largest first,
-- then by name.
-- Parameter: motif (motif, all): only sites of this motif
-- Column: sample_1: the sample whose name sorts first
-- Column: sample_2: the other sample
-- Column: n_both: sites called in both
-- Column: n_first: sites called in sample_1 alone
-- Column: n_second: sites called in sample_2 alone
-- Column: jaccard: n_both over sites called in either
-- Samples that were called with the same motifs are one kind, so that sites of a pair are counted
-- by kinds, which are few.
WITH
sites AS MATERIALIZED (
    SELECT DISTINCT
        sample, chr, motif_name, strand,
        CASE strand WHEN '-' THEN end_untrimmed ELSE start_untrimmed END AS place
    FROM hits
    WHERE chr IS NOT NULL
        AND (
            getvariable('parameters').motif::VARCHAR IS NULL
            OR motif_name = getvariable('parameters').motif::VARCHAR
        )
),
kinds AS MATERIALIZED (
    SELECT sample, called, min(sample) OVER (PARTITION BY called) AS kind
    FROM (
        SELECT sample, list(DISTINCT motif_name ORDER BY motif_name) AS called
        FROM sample_motifs
        JOIN samples USING (sample)
        WHERE has_coordinates
            AND (
                getvariable('parameters').motif::VARCHAR IS NULL
                OR motif_name = getvariable('parameters').motif::VARCHAR
            )
        GROUP BY sample
    )
),
called_with AS (
    SELECT DISTINCT kind, unnest(called) AS motif_name FROM kinds
),
counted AS (
    SELECT sample, motif_name, count(*) AS n FROM sites GROUP BY ALL
),
-- Sites of each sample that samples of each kind could have.
totals AS (
    SELECT kinds.sample, other.kind AS met, coalesce(sum(counted.n), 0)::BIGINT AS n
    FROM kinds
    JOIN called_with AS own ON own.kind = kinds.kind
    JOIN called_with AS other ON other.motif_name = own.motif_name
    LEFT JOIN counted
        ON counted.sample = kinds.sample AND counted.motif_name = own.motif_name
    GROUP BY ALL
),
shared AS (
    SELECT a.sample AS sample_1, b.sample AS sample_2, count(*) AS n
    FROM sites AS a
    JOIN sites AS b USING (chr, place, motif_name, strand)
    WHERE a.sample < b.sample
    GROUP BY ALL
)
SELECT
    one.sample AS sample_1,
    two.sample AS sample_2,
    coalesce(shared.n, 0) AS n_both,
    one.n - n_both AS n_first,
    two.n - n_both AS n_second,
    n_both / nullif(one.n + two.n - n_both, 0)::DOUBLE AS jaccard
FROM totals AS one
JOIN kinds AS kind_1 ON kind_1.sample = one.sample
JOIN totals AS two ON two.met = kind_1.kind AND one.sample < two.sample
JOIN kinds AS kind_2 ON kind_2.sample = two.sample AND kind_2.kind = one.met
LEFT JOIN shared ON shared.sample_1 = one.sample AND shared.sample_2 = two.sample
ORDER BY jaccard DESC NULLS LAST, sample_1, sample_2
