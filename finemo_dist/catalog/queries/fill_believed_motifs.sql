-- Question: none; fills believed_motifs.
-- Contract: one list a column, all of one length, one entry a sample with confidence and motif.
INSERT INTO believed_motifs
SELECT unnest($sample), unnest($motif_set), unnest($own_name), unnest($motif_name);
