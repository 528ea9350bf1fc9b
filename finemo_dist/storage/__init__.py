"""Paths and objects, the commit primitive, replacing a folder, opening text."""
