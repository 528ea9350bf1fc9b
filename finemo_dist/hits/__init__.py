"""Hit parts: the Parquet files that units of work commit, one pair a shard."""
