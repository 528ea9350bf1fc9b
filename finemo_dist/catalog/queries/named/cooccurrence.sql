-- Question: which motifs share regions more, or less, often than by chance?
-- Contract: one row per pair of different motifs that a sample was called with, pairs that never meet
-- included, over the regions of the samples that were called with both; a region of a sample counts
-- once, whatever the number of hits in it. The odds ratio adds one half
-- to each of the four counts (Haldane 1956), so that it is finite; expected is what independence
-- gives. Samples are pooled. By odds ratio, largest first, then in the order of the run.
-- Parameter: sample (sample, all): only regions of this sample
-- Column: motif_1: the motif of the pair that comes first in the run
-- Column: motif_2: the other motif
-- Column: n_both: regions with a hit of both
-- Column: n_first: regions with a hit of motif_1 and none of motif_2
-- Column: n_second: regions with a hit of motif_2 and none of motif_1
-- Column: n_neither: regions with a hit of neither
-- Column: expected: regions with both if the motifs were independent
-- Column: odds_ratio: (n_both + 1/2)(n_neither + 1/2) / ((n_first + 1/2)(n_second + 1/2))
-- Column: display_1: name of motif_1 that people read
-- Column: display_2: name of motif_2 that people read
WITH
pooled AS (
    SELECT kind, motif_1, motif_2, sum(n_regions)::BIGINT AS n FROM pair_counts GROUP BY ALL
),
single AS (
    SELECT called.kind, motif, motif_name, display_name, coalesce(n, 0) AS n
    FROM (
        SELECT DISTINCT kind, motif, motif_name, display_name
        FROM sample_kinds
        JOIN sample_motifs USING (sample)
        JOIN (
            SELECT motif_name, min(motif_id) AS motif, any_value(display_name) AS display_name
            FROM motifs
            GROUP BY motif_name
        ) USING (motif_name)
    ) AS called
    LEFT JOIN pooled
        ON pooled.kind = called.kind AND motif = motif_1 AND motif = motif_2
),
total AS (
    SELECT kind, coalesce(sum(n_regions_committed), 0)::BIGINT AS n
    FROM sample_kinds
    JOIN samples USING (sample)
    WHERE getvariable('parameters').sample::VARCHAR IS NULL
        OR sample = getvariable('parameters').sample::VARCHAR
    GROUP BY kind
),
of_kinds AS (
    SELECT
        one.motif AS order_1,
        two.motif AS order_2,
        one.motif_name AS motif_1,
        two.motif_name AS motif_2,
        one.display_name AS display_1,
        two.display_name AS display_2,
        coalesce(pooled.n, 0) AS of_both,
        one.n AS of_first,
        two.n AS of_second,
        total.n AS of_all
    FROM single AS one
    JOIN single AS two ON one.kind = two.kind AND one.motif < two.motif
    LEFT JOIN pooled
        ON pooled.kind = one.kind AND pooled.motif_1 = one.motif AND pooled.motif_2 = two.motif
    JOIN total ON total.kind = one.kind
),
counts AS (
    SELECT
        order_1,
        order_2,
        motif_1,
        motif_2,
        display_1,
        display_2,
        sum(of_both)::BIGINT AS n_both,
        sum(of_first - of_both)::BIGINT AS n_first,
        sum(of_second - of_both)::BIGINT AS n_second,
        sum(of_all - of_first - of_second + of_both)::BIGINT AS n_neither,
        sum(of_first)::BIGINT::DOUBLE * sum(of_second)::BIGINT / nullif(sum(of_all)::BIGINT, 0)
            AS expected
    FROM of_kinds
    GROUP BY order_1, order_2, motif_1, motif_2, display_1, display_2
)
SELECT
    motif_1,
    motif_2,
    n_both,
    n_first,
    n_second,
    n_neither,
    expected,
    (n_both + 0.5::DOUBLE) * (n_neither + 0.5::DOUBLE)
        / ((n_first + 0.5::DOUBLE) * (n_second + 0.5::DOUBLE)) AS odds_ratio,
    display_1,
    display_2
FROM counts
ORDER BY odds_ratio DESC, order_1, order_2
