-- Question: what of the hits of a sample of a run decides which are the same, and in what order they
-- come?
-- Contract: the columns of INTERSECT_RECORD, with the names of the codes in place of these; and
-- peak_name, null unless has_names; to be read as a stream. Names of peaks are numbers of 64 bits as
-- in peak_name_hashes.sql. The variable chunk has the fields sample, table ('hits' or
-- 'hits_unique'), is_relaxed, has_names, chr_ids, and the bounds low and high of starts (relaxed, of
-- untrimmed starts), first_peak and last_peak of regions without a chromosome. No order.
SELECT
    chr, start, "end", start_untrimmed, end_untrimmed, motif_name, hit_coefficient,
    hit_coefficient_global, hit_similarity, hit_correlation, hit_importance, hit_importance_sq,
    strand, hash(peak_name) AS peak_name_hash, peak_id,
    CASE WHEN getvariable('chunk').has_names THEN peak_name END AS peak_name
FROM query_table(getvariable('chunk')."table")
WHERE sample = getvariable('chunk').sample
    AND list_contains(getvariable('chunk').chr_ids, chr_id)
    -- Skips row groups, which the list does not.
    AND chr_id BETWEEN list_min(getvariable('chunk').chr_ids)
        AND list_max(getvariable('chunk').chr_ids)
    AND (
        chr IS NULL
        OR getvariable('chunk').is_relaxed
        OR start BETWEEN getvariable('chunk').low AND getvariable('chunk').high
    )
    AND (
        chr IS NULL
        OR NOT getvariable('chunk').is_relaxed
        OR start_untrimmed BETWEEN getvariable('chunk').low AND getvariable('chunk').high
    )
    AND (
        chr IS NOT NULL
        OR peak_id BETWEEN getvariable('chunk').first_peak AND getvariable('chunk').last_peak
    );
