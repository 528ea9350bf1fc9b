-- Question: which scores of a browser, 0 to 1000, do hits have?
-- Contract: makes the table score_cuts (sample, value, score) of the hits of the view $table that
-- have a chromosome. The score of a hit is that of the largest value which is not above its own:
-- the share of the hits of its sample with its value or a lower one, in thousandths, rounded down.
-- $rank_by is what ranked_value takes. It is no temporary table, because streams have connections
-- of their own.
CREATE OR REPLACE TABLE score_cuts AS
SELECT sample, value, max(score)::INTEGER AS score
FROM (
    SELECT sample, unnest(cuts) AS value, generate_subscripts(cuts, 1) - 1 AS score
    FROM (
        SELECT
            sample,
            quantile_disc(
                ranked_value(
                    $rank_by, hit_score, hit_similarity, hit_importance, hit_coefficient_global
                ),
                [k / 1000 FOR k IN range(1001)]
            ) AS cuts
        FROM query_table($table)
        WHERE chr IS NOT NULL
        GROUP BY sample
    )
)
GROUP BY sample, value;
