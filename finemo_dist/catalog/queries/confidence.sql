-- Question: how far can hits be believed?
-- Contract: makes the views motif_steps and pooled_steps (q by amplitude) and those for users of
-- RUN/confidence, with names of motifs as the catalog has them, of the samples whose parts they are
-- of; filter_funnel and hits_dropped of RUN/filter; the table macro with_confidence(hits_table): the
-- rows of a view of hits, by its name, with hit_amplitude, decoy_q and decoy_q_pooled, null where
-- there is no q; and the table macro q_cuts_at(largest): of every sample and motif with confidence
-- the smallest amplitude with at most that q, by motif, pooled for a motif without a q of its own,
-- null where there is no such hit, and whether it has a q. q falls with the amplitude, so that the
-- cut is all that is asked.
CREATE VIEW motif_steps AS
SELECT sample, motif_name, hit_amplitude, q
FROM confidence_steps
JOIN believed_motifs USING (sample, own_name);
CREATE VIEW pooled_steps AS
SELECT sample, hit_amplitude, q
FROM confidence_steps
SEMI JOIN believed_motifs USING (sample)
WHERE own_name IS NULL;
CREATE VIEW motif_confidence AS
SELECT
    own.sample,
    own.motif_name,
    n_hits,
    n_decoy_hits_1,
    n_decoy_hits_2,
    n_decoy_hits_3,
    false_share,
    least_amplitude,
    n_believed,
    other.motif_name AS similar_to,
    similarity,
    family
FROM confidence_motifs
JOIN believed_motifs AS own USING (sample, own_name)
LEFT JOIN believed_motifs AS other
    ON other.sample = own.sample AND other.own_name = own_similar_to;
CREATE VIEW confidence_by_q AS
SELECT
    sample,
    motif_name,
    largest_q,
    n_hits,
    n_kept,
    false_share
FROM confidence_levels
LEFT JOIN believed_motifs USING (sample, own_name)
WHERE sample IN (SELECT sample FROM believed_motifs);
CREATE VIEW decoys AS
SELECT
    own.sample,
    own.motif_name,
    "round",
    decoy_start,
    decoy_end,
    n_draws,
    other.motif_name AS similar_to,
    similarity
FROM confidence_decoys AS decoy
JOIN believed_motifs AS own USING (motif_set, own_name)
JOIN believed_motifs AS other
    ON other.sample = own.sample AND other.own_name = decoy.own_similar_to;
CREATE VIEW decoy_hits AS
SELECT
    sample,
    "round",
    chr,
    start,
    "end",
    strand,
    motif_name,
    hit_amplitude,
    hit_score,
    peak_id
FROM confidence_decoy_hits
JOIN believed_motifs USING (sample, own_name);
CREATE VIEW filter_funnel AS
SELECT * EXCLUDE (filename) FROM funnel_file WHERE sample IN (SELECT sample FROM sample_table);
CREATE VIEW hits_dropped AS
SELECT * EXCLUDE (filename) FROM dropped_files WHERE sample IN (SELECT sample FROM sample_table);
CREATE MACRO with_confidence(hits_table) AS TABLE
SELECT hit.*, own.q AS decoy_q, pooled.q AS decoy_q_pooled
FROM (
    SELECT
        *,
        amplitude_of(hit_coefficient, hit_coefficient_global, hit_importance_sq) AS hit_amplitude
    FROM query_table(hits_table)
) AS hit
ASOF LEFT JOIN motif_steps AS own
    ON hit.sample = own.sample
    AND hit.motif_name = own.motif_name
    AND hit.hit_amplitude >= own.hit_amplitude
ASOF LEFT JOIN pooled_steps AS pooled
    ON hit.sample = pooled.sample AND hit.hit_amplitude >= pooled.hit_amplitude;
CREATE MACRO q_cuts_at(largest) AS TABLE
SELECT
    motif.sample,
    motif.motif_name,
    CASE WHEN own.sample IS NULL THEN pooled.hit_amplitude ELSE own.hit_amplitude END
        AS hit_amplitude,
    own.sample IS NOT NULL OR pooled.sample IS NOT NULL AS has_q
FROM believed_motifs AS motif
LEFT JOIN (
    SELECT sample, motif_name, min(hit_amplitude) FILTER (q <= largest) AS hit_amplitude
    FROM motif_steps
    GROUP BY ALL
) AS own ON own.sample = motif.sample AND own.motif_name = motif.motif_name
LEFT JOIN (
    SELECT sample, min(hit_amplitude) FILTER (q <= largest) AS hit_amplitude
    FROM pooled_steps
    GROUP BY ALL
) AS pooled ON pooled.sample = motif.sample;
