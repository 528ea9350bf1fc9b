-- The hits of a sample, as the demo compares them with the sites it planted.
SELECT
    peak_id,
    motif_name,
    strand,
    start_untrimmed
FROM hits
WHERE sample = $sample
