-- Question: how many hits are staged, how many are none, and how long is the longest?
-- Contract: one row. Without a start above its end, a number or a name a row is no hit.
SELECT
    count(*),
    count(*) FILTER (
        NOT coalesce(
            "end" > start
            AND NOT isnan(hit_similarity)
            AND NOT isnan(hit_coefficient)
            AND NOT isnan(hit_coefficient_global)
            AND motif_name IS NOT NULL
            AND strand IS NOT NULL
            AND start_untrimmed IS NOT NULL
            AND peak_id IS NOT NULL,
            false
        )
    ),
    coalesce(max("end" - start), 1)
FROM staged;
