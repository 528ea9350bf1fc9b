-- Question: none; fills believed_cuts.
-- Contract: $q is the largest q of a hit that is believed; samples without confidence have no rows.
INSERT INTO believed_cuts
SELECT sample, motif_name, hit_amplitude, has_q
FROM q_cuts_at($q)
JOIN compared USING (sample);
