-- Question: where are the hits of a sample on a range of chromosomes?
-- Contract: (chr_id, start, motif_id), one row a hit that has a chromosome. No order. In a sample
-- motif_id stands for motif and strand.
SELECT chr_id, start, motif_id
FROM hits
WHERE sample = $sample AND chr_id BETWEEN $first AND $last AND chr IS NOT NULL;
