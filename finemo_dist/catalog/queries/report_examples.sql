-- Question: which regions show what a run did?
-- Contract: (title, sample, peak_id, chr, start, end, name), one row a title, in the order of
-- titles: 'most hits'; 'typical', of the regions with the median number of hits the one explained
-- best; 'least explained', the largest residual of regions with a hit. Regions are named once.
WITH ranked AS (
    SELECT
        q.sample,
        q.peak_id,
        q.chr,
        peaks.start,
        peaks."end",
        q.peak_name,
        row_number() OVER (ORDER BY q.n_hits DESC, q.nll, q.sample, q.peak_id) AS by_hits,
        row_number() OVER (ORDER BY q.nll DESC, q.sample, q.peak_id) AS by_residual,
        row_number() OVER (
            ORDER BY abs(q.n_hits - middle.n_hits), q.nll, q.sample, q.peak_id
        ) AS by_middle
    FROM peaks_qc AS q
    JOIN peaks ON peaks.sample = q.sample AND peaks.peak_id = q.peak_id
    CROSS JOIN (SELECT median(n_hits) AS n_hits FROM peaks_qc WHERE n_hits > 0) AS middle
    WHERE q.n_hits > 0
),
titled AS (
    SELECT 1 AS rank, 'most hits' AS title, * FROM ranked WHERE by_hits = 1
    UNION ALL
    SELECT 2, 'typical', * FROM ranked WHERE by_middle = 1
    UNION ALL
    SELECT 3, 'least explained', * FROM ranked WHERE by_residual = 1
)
SELECT title, sample, peak_id, chr, start, "end", peak_name
FROM titled
QUALIFY row_number() OVER (PARTITION BY sample, peak_id ORDER BY rank) = 1
ORDER BY rank;
