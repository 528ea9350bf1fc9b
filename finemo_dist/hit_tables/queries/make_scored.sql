-- Question: the view piece, with the score in the place of the similarity.
-- Contract: makes the view scored_piece: the columns of piece, so that the rule of
-- catalog/queries/collapse.sql compares scores.
CREATE OR REPLACE TEMP VIEW scored_piece AS
SELECT * REPLACE (
    sqrt(hit_coefficient::DOUBLE * hit_coefficient_global::DOUBLE)::FLOAT AS hit_similarity
)
FROM piece;
