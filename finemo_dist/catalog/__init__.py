"""DuckDB over the committed parts of a run: views, one query a file, read-only SQL."""
