-- Question: as fill_intersect_piece.sql, of a sample of a run.
-- Contract: the columns of staged, to be read as a stream; the variable wanted has the fields
-- input, sample, table ('hits' or 'hits_unique'), chromosomes, first_peak and last_peak. No order.
SELECT
    getvariable('wanted').input::INTEGER AS input,
    chr, start, "end", start_untrimmed, end_untrimmed, motif_name, hit_coefficient,
    hit_coefficient_global, hit_similarity, hit_correlation, hit_importance, hit_importance_sq,
    strand, peak_name, peak_id
FROM query_table(getvariable('wanted')."table")
WHERE sample = getvariable('wanted').sample
    AND (
        chr IN (SELECT unnest(getvariable('wanted').chromosomes::VARCHAR[]))
        OR (
            chr IS NULL
            AND peak_id BETWEEN getvariable('wanted').first_peak AND getvariable('wanted').last_peak
        )
    );
