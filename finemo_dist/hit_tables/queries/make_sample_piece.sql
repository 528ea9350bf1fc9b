-- Question: the hits of a sample of a run on some chromosomes.
-- Contract: makes the view piece of the stream streamed, to be read once: as make_piece.sql, but
-- "row" says nothing. In a table of a run hit_correlation says the same as hit_similarity.
CREATE OR REPLACE TEMP VIEW piece AS
SELECT *, hit_similarity AS hit_correlation, '' AS sample, 0::BIGINT AS "row"
FROM streamed;
