-- Question: where are the seqlets, as lines of finemo's seqlets.tsv?
-- Contract: writes $path with a header; by motif, chromosome and place. Null is NA.
COPY (
    SELECT
        chr, start, "end", start_untrimmed, end_untrimmed, strand, motif_name, peak_id,
        peak_region_start
    FROM report_seqlets
    ORDER BY rank, chr, peak_id, start_untrimmed, strand
) TO $path (FORMAT csv, HEADER true, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR 'NA');
