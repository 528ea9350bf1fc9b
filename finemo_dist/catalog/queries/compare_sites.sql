-- Question: which sites on a range of chromosomes are of both groups, of one, or changed?
-- Contract: needs the filled tables of compare_tables.sql; the variable chunk has the fields first and
-- last (chr), n_first and n_second (samples of the groups), share, change. One row per site that is
-- common or specific: a chromosome, motif, strand and place of the first column of the untrimmed CWM,
-- in regions of every sample. A group has a site when at least the share of its samples does.
--   class: specific to the first or second group when the other group has the site in no sample;
-- changed when both have it, mean quantiles of the score differ by at least change, and no value of
-- one group lies among those of the other; shared when both have it and it has not changed. Others,
-- which a minority of a group has, are left out. By chromosome, place, motif and strand.
WITH scored AS (
    SELECT
        sample, side, chr, motif_name, strand,
        CASE strand WHEN '-' THEN end_untrimmed ELSE start_untrimmed END AS place,
        min(start) AS start,
        max("end") AS "end",
        max(score_bin(hit_coefficient, hit_coefficient_global)) AS bin
    FROM hits
    JOIN compared USING (sample)
    WHERE chr BETWEEN getvariable('chunk').first AND getvariable('chunk').last
        AND hit_coefficient > 0 AND hit_coefficient_global > 0
    GROUP BY ALL
),
sites AS (
    SELECT
        chr,
        min(start) AS start,
        max("end") AS "end",
        motif_name,
        strand,
        place,
        count(*) FILTER (side = 0) AS n_first,
        count(*) FILTER (side = 1) AS n_second,
        avg(quantile) FILTER (side = 0) AS quantile_first,
        avg(quantile) FILTER (side = 1) AS quantile_second,
        min(quantile) FILTER (side = 0) AS low_first,
        max(quantile) FILTER (side = 0) AS high_first,
        min(quantile) FILTER (side = 1) AS low_second,
        max(quantile) FILTER (side = 1) AS high_second
    FROM scored
    JOIN score_quantiles USING (sample, bin)
    GROUP BY chr, motif_name, strand, place
),
common AS (
    SELECT sites.*
    FROM sites
    ASOF JOIN common_regions AS region
        ON region.chr = sites.chr AND region."first" <= sites.start
    WHERE sites."end" <= region."last"
),
classed AS (
    SELECT
        *,
        n_first >= getvariable('chunk').share * getvariable('chunk').n_first AS has_first,
        n_second >= getvariable('chunk').share * getvariable('chunk').n_second AS has_second,
        abs(quantile_second - quantile_first) >= getvariable('chunk').change
            AND (low_second > high_first OR low_first > high_second) AS is_changed
    FROM common
)
SELECT
    chr, start, "end", motif_name, strand,
    CASE
        WHEN NOT has_second THEN 'specific_first'
        WHEN NOT has_first THEN 'specific_second'
        WHEN is_changed THEN 'changed'
        ELSE 'shared'
    END AS class,
    n_first, n_second, quantile_first, quantile_second
FROM classed
WHERE has_first AND has_second
    OR has_first AND n_second = 0
    OR has_second AND n_first = 0
ORDER BY chr, start, "end", motif_name, strand;
