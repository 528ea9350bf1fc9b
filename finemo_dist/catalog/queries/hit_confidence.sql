-- Question: how far can each hit be believed?
-- Contract: one row per hit: what tells it from others, its place, and its q against decoy motifs,
-- null where there is none. No order.
CREATE VIEW hit_confidence AS
SELECT
    sample,
    chr,
    start,
    "end",
    strand,
    motif_name,
    peak_id,
    motif_id,
    start_untrimmed,
    hit_score,
    hit_amplitude,
    decoy_q,
    decoy_q_pooled
FROM with_confidence('hits');
