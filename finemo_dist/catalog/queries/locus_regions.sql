-- Question: which regions cover some places?
-- Contract: (place, sample, peak_id, start, end, name), one row per place and region that shares a
-- base with it, by place, sample, start and peak. A place is its number in the lists $chr, $start
-- and $end; $start is null where the place is the region $peak of runs without coordinates.
SELECT
    wanted.place,
    peaks.sample,
    peaks.peak_id,
    peaks.start,
    peaks."end",
    peaks.name
FROM (
    SELECT
        unnest($place::BIGINT[]) AS place,
        unnest($chr::VARCHAR[]) AS chr,
        unnest($start::BIGINT[]) AS start,
        unnest($end::BIGINT[]) AS "end",
        unnest($peak::BIGINT[]) AS peak_id
) AS wanted
JOIN peaks
    ON
        peaks.chr = wanted.chr AND peaks.start < wanted."end" AND peaks."end" > wanted.start
        OR wanted.chr IS NULL AND peaks.chr IS NULL AND peaks.peak_id = wanted.peak_id
ORDER BY wanted.place, peaks.sample, peaks.start, peaks.peak_id;
