-- Question: none; some of the staged hits of an input.
-- Contract: adds to piece the rows on $chromosomes, or without a chromosome in the regions
-- $first_peak to $last_peak.
INSERT INTO piece
SELECT *
FROM staged
WHERE input = $input
    AND (
        chr IN (SELECT unnest($chromosomes::VARCHAR[]))
        OR (chr IS NULL AND peak_id BETWEEN $first_peak AND $last_peak)
    );
