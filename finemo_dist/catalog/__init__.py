"""DuckDB over the committed parts of a run: views, one query per file, read-only SQL."""
