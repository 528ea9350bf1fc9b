-- Question: what sites do the inputs so far and one more share, and with what lines?
-- Contract: makes the view joined of the views shared and sites: told is that of the last input, and
-- combinations count up by the hit of the first input, then by that of the second, and so on.
-- The hash alone is the key of the join. CASE keeps the comparison of what it is a hash of out of the
-- key: ten columns, some of them names, take twice as long to be found.
CREATE OR REPLACE TEMP VIEW joined AS
SELECT
    shared.* REPLACE (combination * n_hits + nth AS combination),
    sites.told
FROM shared
JOIN sites
    ON shared.site = sites.site
    AND CASE
        WHEN shared.chr IS NOT DISTINCT FROM sites.chr
            AND shared.region IS NOT DISTINCT FROM sites.region
            AND shared.start_untrimmed = sites.start_untrimmed
            AND shared.end_untrimmed = sites.end_untrimmed
            AND shared.motif_name = sites.motif_name
            AND shared.strand = sites.strand
            AND shared.own_start IS NOT DISTINCT FROM sites.own_start
            AND shared.own_end IS NOT DISTINCT FROM sites.own_end
            AND shared.own_peak_name IS NOT DISTINCT FROM sites.own_peak_name
            AND shared.own_peak_id IS NOT DISTINCT FROM sites.own_peak_id
        THEN true
        ELSE false
    END;
