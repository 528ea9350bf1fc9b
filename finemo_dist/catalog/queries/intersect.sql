-- Question: which hits of the table piece do all $n_inputs inputs share?
-- Contract: makes the temporary table matched: (line, combination, input, "row"), n_inputs rows for
-- each line of the answer; "row" is the rowid in piece.
--   Relaxed, hits are the same when chromosome, untrimmed start and end, motif and strand agree;
--   otherwise trimmed start and end, peak name and peak number must agree as well. Null agrees with
--   null. Without a chromosome the region must agree in any case, because places in different
--   regions are not the same place.
--   An input that has a site several times, as where peaks overlap, gives every combination a line,
--   as finemo does; over 10,000 combinations of one site are refused.
--   line orders by the hit of input 0: by chromosome as $chromosomes lists them, region, start, end,
--   motif, strand, peak; combination orders the rest. Both are total up to rows that are equal.
CREATE OR REPLACE TEMP TABLE matched AS
WITH
keyed AS (
    SELECT
        rowid AS "row",
        input,
        chr,
        CASE WHEN chr IS NULL THEN peak_id END AS region,
        start_untrimmed,
        end_untrimmed,
        motif_name,
        strand,
        CASE WHEN NOT $is_relaxed THEN start END AS key_start,
        CASE WHEN NOT $is_relaxed THEN "end" END AS key_end,
        CASE WHEN NOT $is_relaxed THEN peak_name END AS key_peak_name,
        CASE WHEN NOT $is_relaxed THEN peak_id END AS key_peak_id
    FROM piece
),
shared AS (
    SELECT list("row") AS members, list(input) AS inputs
    FROM keyed
    GROUP BY
        chr, region, start_untrimmed, end_untrimmed, motif_name, strand, key_start, key_end,
        key_peak_name, key_peak_id
    HAVING count(*) >= $n_inputs
),
site AS (
    SELECT row_number() OVER () AS site, members, inputs
    FROM shared
    WHERE len(list_distinct(inputs)) = $n_inputs
),
once AS (
    SELECT
        members[list_position(inputs, 0)] AS first_row,
        0::BIGINT AS combination,
        unnest(inputs) AS input,
        unnest(members) AS "row"
    FROM site
    WHERE len(members) = $n_inputs
),
repeated AS (
    SELECT site, unnest(inputs) AS input, unnest(members) AS "row"
    FROM site
    WHERE len(members) > $n_inputs
),
copies AS (
    SELECT
        repeated.*,
        count(*) OVER (PARTITION BY site, repeated.input) AS n_copies,
        row_number() OVER (
            PARTITION BY site, repeated.input
            ORDER BY
                start, "end", peak_id, peak_name, hit_coefficient, hit_coefficient_global,
                hit_similarity, hit_correlation, hit_importance, hit_importance_sq
        ) - 1 AS n_before
    FROM repeated
    JOIN piece ON piece.rowid = repeated."row"
),
strides AS (
    SELECT
        site,
        input,
        coalesce(product(n_copies) OVER (
            PARTITION BY site ORDER BY input DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 1) AS stride,
        product(n_copies) OVER (PARTITION BY site) AS n_combinations
    FROM (SELECT DISTINCT site, input, n_copies FROM copies)
),
counted AS (
    SELECT
        site,
        input,
        CASE WHEN n_combinations > 10000 THEN error('too many combinations') ELSE stride::BIGINT END
            AS stride,
        unnest(range(least(n_combinations, 10000)::BIGINT)) AS combination
    FROM strides
),
combined AS (
    SELECT site, combination, input, "row"
    FROM copies
    JOIN counted USING (site, input)
    WHERE (combination // stride) % n_copies = n_before
),
often AS (
    SELECT
        min("row") FILTER (input = 0) OVER (PARTITION BY site, combination) AS first_row,
        combination,
        input,
        "row"
    FROM combined
),
lines AS (
    SELECT
        rowid AS first_row,
        row_number() OVER (
            ORDER BY
                list_position($chromosomes::VARCHAR[], chr),
                CASE WHEN chr IS NULL THEN peak_id END,
                start, "end", motif_name, strand, peak_id, peak_name, start_untrimmed,
                end_untrimmed, hit_coefficient, hit_coefficient_global, hit_similarity,
                hit_correlation, hit_importance, hit_importance_sq
        ) AS line
    FROM piece
    WHERE input = 0
)
SELECT line, combination, input, "row"
FROM (FROM once UNION ALL FROM often)
JOIN lines USING (first_row);
