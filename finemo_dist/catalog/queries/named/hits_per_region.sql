-- Question: how many hits do regions have?
-- Contract: one row per sample and number of hits that occurs, 0 included. By sample and number.
-- Parameter: sample (sample, all): only this sample
-- Column: sample: name of the sample
-- Column: n_hits: hits in a region
-- Column: n_regions: regions with so many
SELECT sample, n_hits, count(*) AS n_regions
FROM peaks_qc
WHERE getvariable('parameters').sample::VARCHAR IS NULL
    OR sample = getvariable('parameters').sample::VARCHAR
GROUP BY sample, n_hits
ORDER BY sample, n_hits
