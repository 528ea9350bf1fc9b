-- Question: what lines of the view joined are written, in the order of the output?
-- Contract: its columns. By chromosome in the order of the variable chroms, region
-- where there is no chromosome, start, length, motif, strand, peak, and the untrimmed place; relaxed
-- by untrimmed start and length in place of start and length, and no peak; then by combination.
SELECT *
FROM joined
ORDER BY
    list_position(getvariable('chroms'), coalesce(chr, '')),
    region,
    coalesce(own_start, start_untrimmed),
    coalesce(own_end - own_start, end_untrimmed - start_untrimmed),
    motif_name,
    strand,
    own_peak_id,
    own_start - start_untrimmed,
    end_untrimmed - own_end,
    hash(own_peak_name),
    combination;
