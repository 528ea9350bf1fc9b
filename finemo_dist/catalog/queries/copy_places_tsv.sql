-- Question: the hits on a range of chromosomes, all samples together, as lines of finemo's hits.tsv.
-- Contract: the lines of hit_lines.sql, in the order of copy_places_bed.sql, and the sample ends every
-- line. As in a BED, no hit reaches beyond its chromosome.
COPY (
    SELECT
        chr, greatest(start, 0), least("end", coalesce(length, "end")), start_untrimmed, end_untrimmed, cell(motif_name), hit_coefficient,
        hit_coefficient_global, hit_similarity, hit_correlation, hit_importance,
        hit_importance_sq, strand, cell(peak_name), peak_id, cell(sample)
    FROM query_table($table)
    LEFT JOIN chromosome_ends USING (sample, chr)
    WHERE chr BETWEEN $first AND $last AND "end" > 0 AND start < coalesce(length, start + 1)
    ORDER BY
        chr, greatest(start, 0), "end", motif_id, sample, peak_id, start_untrimmed, hit_coefficient,
        hit_similarity, hit_importance, hit_importance_sq
) TO $path (FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE '', NULLSTR 'NA');
