"""The record of a run: run.json, its logs, and the signs of life of its drivers."""
