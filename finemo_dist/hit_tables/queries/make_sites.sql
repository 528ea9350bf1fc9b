-- Question: the hits of a staged table on some chromosomes, by their sites.
-- Contract: makes the view sites: those of the view piece as site_hits has them, and site, a hash.
CREATE OR REPLACE TEMP VIEW sites AS
SELECT
    *,
    hash(
        chr, region, start_untrimmed, end_untrimmed, motif_name, strand, own_start, own_end,
        own_peak_name, own_peak_id
    ) AS site
FROM site_hits('piece', getvariable('is_relaxed'));
