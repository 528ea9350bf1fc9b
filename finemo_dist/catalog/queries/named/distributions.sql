-- Question: how are the similarities, coefficients and importances of the hits of a motif distributed?
-- Contract: one row per motif, quantity and bin with a hit. Every hit counts in every region it was
-- called in; samples are pooled. Bins of similarity are 0.02 wide. Coefficient and importance have
-- 32 bins of one width for each motif; the last bin also holds the hits beyond it, at most a
-- hundredth of all. In the order of the run, then by quantity and bin.
-- Parameter: motif (motif, all): only this motif
-- Parameter: sample (sample, all): only hits of this sample
-- Column: motif_name: name of the motif
-- Column: quantity: similarity, coefficient or importance
-- Column: bin_start: least value of the bin
-- Column: bin_end: value that the next bin begins with
-- Column: n_hits: hits in the bin
-- Column: display_name: name of the motif that people read
WITH
named AS (
    SELECT motif_name, min(motif_id) AS motif, any_value(display_name) AS display_name
    FROM motifs
    GROUP BY motif_name
),
chosen AS (
    SELECT motif_name, hit_similarity, hit_coefficient, hit_importance
    FROM hits
    WHERE (
            getvariable('parameters').sample::VARCHAR IS NULL
            OR sample = getvariable('parameters').sample::VARCHAR
        )
        AND (
            getvariable('parameters').motif::VARCHAR IS NULL
            OR motif_name = getvariable('parameters').motif::VARCHAR
        )
),
-- Which eighth of a doubling a value falls in: the same bins whatever the order of the hits.
doublings AS (
    SELECT motif_name, quantity, floor(8 * log2(value))::INTEGER AS bin, count(*) AS n
    FROM (
        UNPIVOT (
            SELECT
                motif_name,
                hit_coefficient::DOUBLE AS coefficient,
                hit_importance::DOUBLE AS importance
            FROM chosen
        ) ON coefficient, importance INTO NAME quantity VALUE value
    )
    WHERE value > 0
    GROUP BY motif_name, quantity, bin
),
widths AS (
    SELECT motif_name, quantity, pow(2, (min(bin) + 1) / 8) / 32 AS width
    FROM (
        SELECT
            motif_name,
            quantity,
            bin,
            sum(n) OVER (PARTITION BY motif_name, quantity ORDER BY bin) AS n_below,
            sum(n) OVER (PARTITION BY motif_name, quantity) AS n_all
        FROM doublings
    )
    WHERE n_below >= 0.99 * n_all
    GROUP BY motif_name, quantity
),
scaled AS (
    SELECT
        value_of.motif_name,
        value_of.quantity,
        widths.width,
        least(31, floor(value_of.value / widths.width))::INTEGER AS bin,
        count(*) AS n_hits
    FROM (
        UNPIVOT (
            SELECT
                motif_name,
                hit_coefficient::DOUBLE AS coefficient,
                hit_importance::DOUBLE AS importance
            FROM chosen
        ) ON coefficient, importance INTO NAME quantity VALUE value
    ) AS value_of
    JOIN widths USING (motif_name, quantity)
    GROUP BY ALL
),
binned AS (
    SELECT
        motif_name,
        'similarity' AS quantity,
        least(49, floor(50 * hit_similarity::DOUBLE)) / 50 AS bin_start,
        (least(49, floor(50 * hit_similarity::DOUBLE)) + 1) / 50 AS bin_end,
        count(*) AS n_hits
    FROM chosen
    GROUP BY ALL
    UNION ALL
    SELECT motif_name, quantity, bin * width, (bin + 1) * width, n_hits
    FROM scaled
)
SELECT motif_name, quantity, bin_start, bin_end, n_hits, display_name
FROM binned
JOIN named USING (motif_name)
ORDER BY motif, quantity, bin_start
