"""Collapse and intersection of tables of hits, given as files or as runs."""
