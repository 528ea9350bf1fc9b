-- Question: how are the hits of each motif distributed?
-- Contract: (motif_name, quantity, bin_start, bin_end, n), sorted; motif_name is null for all
-- motifs together. hits_per_region: regions by their number of hits, those without a hit for all
-- motifs only. similarity: bins of 0.02. position: the centre of the trimmed hit from the middle
-- of its region, 50 bins a region. coefficient and importance: 32 bins of one width for a motif;
-- the last also holds what lies beyond, at most a hundredth of its hits.
WITH per_region AS (
    SELECT motif_name, sample, peak_id, count(*) AS n_hits
    FROM hits
    GROUP BY motif_name, sample, peak_id
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
            FROM hits
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
        count(*) AS n
    FROM (
        UNPIVOT (
            SELECT
                motif_name,
                hit_coefficient::DOUBLE AS coefficient,
                hit_importance::DOUBLE AS importance
            FROM hits
        ) ON coefficient, importance INTO NAME quantity VALUE value
    ) AS value_of
    JOIN widths USING (motif_name, quantity)
    GROUP BY ALL
),
positions AS (
    SELECT
        hits.motif_name,
        greatest(1, (peaks."end" - peaks.start) // 50) AS width,
        floor(
            (hits.start + hits."end" - peaks.start - peaks."end")
            / (2 * greatest(1, (peaks."end" - peaks.start) // 50))
        )::INTEGER AS bin,
        count(*) AS n
    FROM hits
    JOIN peaks USING (sample, peak_id)
    GROUP BY ALL
)
SELECT motif_name, 'hits_per_region', n_hits::DOUBLE, n_hits + 1::DOUBLE, count(*)
FROM per_region
GROUP BY motif_name, n_hits
UNION ALL
SELECT NULL, 'hits_per_region', n_hits::DOUBLE, n_hits + 1::DOUBLE, count(*)
FROM peaks_qc
GROUP BY n_hits
UNION ALL
SELECT
    motif_name,
    'similarity',
    least(49, floor(50 * hit_similarity::DOUBLE)) / 50,
    (least(49, floor(50 * hit_similarity::DOUBLE)) + 1) / 50,
    count(*)
FROM hits
GROUP BY ALL
UNION ALL
SELECT motif_name, quantity, bin * width, (bin + 1) * width, n
FROM scaled
UNION ALL
SELECT motif_name, 'position', bin * width::DOUBLE, (bin + 1) * width::DOUBLE, n
FROM positions
UNION ALL
SELECT NULL, 'position', bin * width::DOUBLE, (bin + 1) * width::DOUBLE, sum(n)::BIGINT
FROM positions
GROUP BY bin, width
ORDER BY 1 NULLS FIRST, 2, 3;
