"""The region store: sequences and contributions of all regions in Zarr v3, shard by shard."""
