-- Question: what is a motif called in a file for a genome browser?
-- Contract: a table macro of (motif_id, label), one row per motif and strand; kind is motif, tf,
-- family or cluster. A motif without that annotation keeps its own name.
CREATE MACRO motif_labels(kind) AS TABLE
SELECT
    motif_id,
    coalesce(
        CASE kind WHEN 'tf' THEN tf WHEN 'family' THEN family WHEN 'cluster' THEN cluster END,
        motif_name
    ) AS label
FROM motifs;
