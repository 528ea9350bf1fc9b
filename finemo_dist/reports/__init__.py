"""Pages and tables about a run, made from its catalog."""
