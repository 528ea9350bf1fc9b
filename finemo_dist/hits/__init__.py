"""Parts: the Parquet files that units commit, one pair per shard."""
