"""Defaults of options, once for the command line and for configurations.

Standard library only: ``--help`` shows them and loads nothing else. Where finemo 0.41 has the same
option, its default is the same, but for the tolerance, which is of another quantity.
"""

from typing import Final

REGION_WIDTH: Final = 1000
"""Bases around the summit of a peak."""
MODE: Final = "pp"
TRIM_THRESHOLD: Final = 0.3
"""Columns of a CWM below this share of its largest are trimmed off."""
PENALTY: Final = 0.7
"""Weight of the L1 penalty, finemo's lambda."""
GAP_TOLERANCE: Final = 1e-6
"""On the true duality gap over the region width: hits no longer depend on when the solver stops."""
FINEMO_TOLERANCE: Final = 5e-4
"""On finemo's own stopping rule, for the dense solver."""
MAX_STEPS: Final = 10_000
STEP_SIZE_MAX: Final = 3.0
STEP_SIZE_MIN: Final = 0.08
STEP_ADJUST: Final = 0.7
SOLVER: Final = "working-set"
EXECUTOR: Final = "auto"
DEVICE: Final = "auto"
OVERLAP: Final = 0.2
"""Share of the mean length of two hits that makes them overlap."""
COLLAPSE_BY: Final = "similarity"
"""finemo's rule: what makes one of two overlapping hits the better one."""
WINDOW_BP: Final = 400
"""Bases in the middle of a region that TF-MoDISco looks at, where its file does not say."""
MAX_Q: Final = 0.05
"""Of matches that name a motif, and of motifs that differ between groups."""
BELIEVED_Q: Final = 0.05
"""Largest q against decoy motifs of a hit that ``compare`` counts as believed."""
SITE_SHARE: Final = 0.5
"""Of the samples of a group, for the group to have a site."""
SITE_CHANGE: Final = 0.2
"""Of a mean quantile of scores, for a site to have changed."""
MIN_CHANGE: Final = 0.1
"""Share of the larger score from which a hit of two alleles counts as changed."""
VARIANT_TOLERANCE: Final = 2
"""Bases by which places of one hit may differ between two alleles."""
STRONGEST_VARIANTS: Final = 50
"""Variants that the page of ``call-variants`` shows."""
DECOY_SEED: Final = 0
EXPORT_TABLE: Final = "hits"
EXPORT_LABEL: Final = "motif"
EXPORT_SCORE: Final = "score"
"""What the score of a BED or bigBed is the rank of."""
EXPORT_MOTIFS: Final = "trimmed"
EXPORT_SIGNAL: Final = "coverage"
