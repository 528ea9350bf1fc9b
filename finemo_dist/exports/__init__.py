"""Files for other tools, written from a run's tables."""
