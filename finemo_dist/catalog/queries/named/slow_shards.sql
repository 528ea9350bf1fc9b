-- Question: which shards took longest, and on which worker and node?
-- Contract: one row each time that a shard was committed, from the logs of the run. By seconds,
-- longest first, then sample, shard and time. No rows of a run that kept no log.
-- Parameter: sample (sample, all): only shards of this sample
-- Parameter: limit (integer 1 to 1000000, 20): rows at most
-- Column: sample: name of the sample
-- Column: shard: number of the shard in the sample, from 0
-- Column: worker: worker that did it
-- Column: node: machine of that worker
-- Column: n_regions: regions of the shard
-- Column: n_hits: hits of the shard
-- Column: seconds: time of the worker on it, all stages
-- Column: seconds_read: of it reading
-- Column: seconds_solve: of it solving
-- Column: seconds_write: of it writing
-- Column: times_median: seconds a region, over the median of the shards asked for
-- Column: started: when it was given to the worker, UTC
-- Column: finished: when it was told done, UTC
WITH timed AS (
    SELECT
        *,
        coalesce(seconds_read, 0) + coalesce(seconds_solve, 0) + coalesce(seconds_write, 0)
            AS seconds
    FROM timings
    WHERE getvariable('parameters').sample::VARCHAR IS NULL
        OR sample = getvariable('parameters').sample::VARCHAR
),
typical AS (SELECT median(seconds / nullif(n_regions, 0)) AS per_region FROM timed)
SELECT
    sample, shard, worker, node, n_regions, n_hits, round(seconds, 3) AS seconds,
    seconds_read, seconds_solve, seconds_write,
    round(timed.seconds / nullif(n_regions, 0) / nullif(per_region, 0), 2) AS times_median,
    started, finished
FROM timed
CROSS JOIN typical
ORDER BY timed.seconds DESC, sample, shard, finished
LIMIT getvariable('parameters').limit::BIGINT
