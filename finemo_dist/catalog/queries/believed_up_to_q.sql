-- Question: which hits are shown, where a largest q is asked for?
-- Contract: makes the table q_cuts (sample, motif_name, hit_amplitude), the smallest amplitude with at
-- most the variable largest_q: by motif, pooled for a motif without a q of its own, and none where
-- there is no such hit; and the table macro believed(hits_table): the rows of a view of hits, by its
-- name, from that amplitude on. q falls with the amplitude, so that the cut is all that is asked.
CREATE TABLE q_cuts AS
WITH
own AS (
    SELECT
        sample,
        motif_name,
        min(hit_amplitude) FILTER (q <= getvariable('largest_q')) AS hit_amplitude
    FROM motif_steps
    GROUP BY ALL
),
pooled AS (
    SELECT sample, min(hit_amplitude) AS hit_amplitude
    FROM pooled_steps
    WHERE q <= getvariable('largest_q')
    GROUP BY ALL
)
SELECT
    motif.sample,
    motif.motif_name,
    CASE WHEN own.sample IS NULL THEN pooled.hit_amplitude ELSE own.hit_amplitude END
        AS hit_amplitude
FROM believed_motifs AS motif
LEFT JOIN own ON own.sample = motif.sample AND own.motif_name = motif.motif_name
LEFT JOIN pooled ON pooled.sample = motif.sample;
CREATE MACRO believed(hits_table) AS TABLE
SELECT hit.*
FROM query_table(hits_table) AS hit
JOIN q_cuts ON q_cuts.sample = hit.sample AND q_cuts.motif_name = hit.motif_name
WHERE amplitude_of(hit.hit_coefficient, hit.hit_coefficient_global, hit.hit_importance_sq)
    >= q_cuts.hit_amplitude;
