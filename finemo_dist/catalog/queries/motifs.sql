-- Question: which motifs were called, and what are they thought to be?
-- Contract: one row per motif and strand of the run, the columns of finemo's motif_data.tsv,
-- whether it is a palindrome, the file it comes from, the columns of the run's annotation, null
-- where it has none, then the set, the name in it, and the name that people read: the factor of the
-- annotation where one motif alone has it, the factor with the name of the motif where several
-- have it, and the name of the motif where there is none. Of a motif of several sets the row is that of
-- the first set; sample_motifs has the settings of each sample. No order.
-- A table is beneath: nearly every question joins it, and would bind a view of files and read them
-- each time.
CREATE OR REPLACE TABLE motif_rows AS
SELECT
    *,
    CASE
        WHEN tf IS NULL THEN motif_name
        WHEN min(motif_name) OVER (PARTITION BY tf) = max(motif_name) OVER (PARTITION BY tf) THEN tf
        ELSE tf || ' (' || motif_name || ')'
    END AS display_name
FROM (
    SELECT
        coalesce(run_id, motif_parts.motif_id) AS motif_id,
        coalesce(run_name, motif_parts.motif_name) AS motif_name,
        motif_name_orig,
        strand,
        motif_start,
        motif_end,
        motif_scale,
        "lambda",
        is_palindrome,
        source,
        tf,
        family,
        cluster,
        motif_files.motif_set,
        motif_parts.motif_name AS name_in_set
    FROM motif_parts
    JOIN motif_files USING (filename)
    LEFT JOIN motif_places
        ON motif_places.motif_set = motif_files.motif_set AND own_id = motif_parts.motif_id
    LEFT JOIN annotation_parts
        ON annotation_parts.motif_name = coalesce(annotated, motif_parts.motif_name)
    WHERE coalesce(is_home, true)
);

CREATE VIEW motifs AS FROM motif_rows;
