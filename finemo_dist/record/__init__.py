"""The record of a run: run.json, its logs, and who is at work on it."""
