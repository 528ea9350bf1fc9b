"""A run: the plan, the schedule, the workers, and what they report."""
