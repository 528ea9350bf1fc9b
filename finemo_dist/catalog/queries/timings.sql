-- Question: when, where and for how long was each shard worked on?
-- Contract: one row each time that a shard of a sample shown was committed, as the logs of the run
-- say; none of runs without logs. A shard that was worked on twice has two. Lines that are torn or
-- no entries are passed over. No order.
CREATE VIEW timings AS
SELECT
    sample,
    shard,
    worker,
    node,
    n_regions,
    n_hits,
    seconds['read'] AS seconds_read,
    seconds['solve'] AS seconds_solve,
    seconds['write'] AS seconds_write,
    TRY_CAST(started AS TIMESTAMP) AS started,
    TRY_CAST(time AS TIMESTAMP) AS finished
FROM log_lines
WHERE event = 'shard_done' AND shard IS NOT NULL
    AND sample IN (SELECT sample FROM sample_table);
