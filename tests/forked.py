"""Worker processes forked from one that has loaded what they need: a start takes milliseconds.

For tests of what workers do. Those of their start, their end and their bytes start them for real.
"""

from finemo_dist.run.process_parent import Parent

MODULES = (
    "finemo_dist.run.extraction_worker",
    "finemo_dist.run.worker",
)


def parent_of_workers() -> Parent:
    """Return what forks workers, for as many runs as it is given to."""
    return Parent(MODULES)
