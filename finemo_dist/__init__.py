"""finemo_dist calls transcription-factor motif hits in neural-network contribution scores.

In memory, in a notebook::

    motifs = finemo_dist.read_motifs("modisco.h5")
    hits = finemo_dist.find_hits(sequences, contributions, motifs).to_pandas()

On disk, with stores, runs and tables that any number of workers share: ``extract_regions``,
``call_hits``, ``run_config``, ``open_run``, ``plot``, ``report``, ``export``, ``collapse_hits``
and ``intersect_hits``. ``finemo_dist.finemo`` has functions with the arguments and results of
finemo's.
``finemo_dist/DESIGN.md`` describes how the package is built.

Importing the package loads neither torch, ray nor DuckDB. Each name is loaded on first use.
"""

import importlib
import typing

if typing.TYPE_CHECKING:
    from finemo_dist.catalog.table import Table
    from finemo_dist.core.config import CallConfig, MotifConfig, ResourceConfig, SolverConfig
    from finemo_dist.core.errors import (
        FinemoDistError,
        IncompleteRunError,
        InputError,
        RunError,
        StoreError,
        UsageError,
    )
    from finemo_dist.hit_tables.collapse import CollapseSummary, collapse_hits
    from finemo_dist.hit_tables.intersect import IntersectSummary, intersect_hits
    from finemo_dist.workflow.calling import Call, call_hits
    from finemo_dist.workflow.comparing import Comparison, compare
    from finemo_dist.workflow.confidence import Confidence, confidence
    from finemo_dist.workflow.confidence_tables import SampleConfidence
    from finemo_dist.workflow.config import (
        BigWigInput,
        BpnetInput,
        ChromBpnetInput,
        ModiscoArraysInput,
        RunConfig,
        SampleConfig,
    )
    from finemo_dist.workflow.exporting import export
    from finemo_dist.workflow.extracting import Extraction, extract_regions
    from finemo_dist.workflow.filter_rules import FilterRule
    from finemo_dist.workflow.filtering import Filtered, RuleCount, filter_hits
    from finemo_dist.workflow.finding import find_hits
    from finemo_dist.workflow.found_hits import Hits
    from finemo_dist.workflow.motif_set import MotifSet, read_motifs
    from finemo_dist.workflow.opening import Run, open_run
    from finemo_dist.workflow.plotting import Figure, plot
    from finemo_dist.workflow.reporting import report
    from finemo_dist.workflow.runner_up import runner_up
    from finemo_dist.workflow.running import load_config, run_config
    from finemo_dist.workflow.variants import VariantCalls, call_variants

__version__ = "0.1.0"

_MODULES: typing.Final = {
    "catalog.table": ("Table",),
    "core.config": ("CallConfig", "MotifConfig", "ResourceConfig", "SolverConfig"),
    "core.errors": (
        "FinemoDistError", "IncompleteRunError", "InputError", "RunError", "StoreError",
        "UsageError",
    ),
    "hit_tables.collapse": ("CollapseSummary", "collapse_hits"),
    "hit_tables.intersect": ("IntersectSummary", "intersect_hits"),
    "workflow.calling": ("Call", "call_hits"),
    "workflow.comparing": ("Comparison", "compare"),
    "workflow.confidence": ("Confidence", "confidence"),
    "workflow.confidence_tables": ("SampleConfidence",),
    "workflow.config": (
        "BigWigInput", "BpnetInput", "ChromBpnetInput", "ModiscoArraysInput", "RunConfig",
        "SampleConfig",
    ),
    "workflow.exporting": ("export",),
    "workflow.extracting": ("Extraction", "extract_regions"),
    "workflow.filter_rules": ("FilterRule",),
    "workflow.filtering": ("Filtered", "RuleCount", "filter_hits"),
    "workflow.finding": ("find_hits",),
    "workflow.found_hits": ("Hits",),
    "workflow.motif_set": ("MotifSet", "read_motifs"),
    "workflow.opening": ("Run", "open_run"),
    "workflow.plotting": ("Figure", "plot"),
    "workflow.reporting": ("report",),
    "workflow.runner_up": ("runner_up",),
    "workflow.running": ("load_config", "run_config"),
    "workflow.variants": ("VariantCalls", "call_variants"),
}  # fmt: skip
"""Module to the public names it holds."""

_MODULE_OF: typing.Final = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "BigWigInput",
    "BpnetInput",
    "Call",
    "CallConfig",
    "ChromBpnetInput",
    "CollapseSummary",
    "Comparison",
    "Confidence",
    "Extraction",
    "Figure",
    "FilterRule",
    "Filtered",
    "FinemoDistError",
    "Hits",
    "IncompleteRunError",
    "InputError",
    "IntersectSummary",
    "ModiscoArraysInput",
    "MotifConfig",
    "MotifSet",
    "ResourceConfig",
    "RuleCount",
    "Run",
    "RunConfig",
    "RunError",
    "SampleConfidence",
    "SampleConfig",
    "SolverConfig",
    "StoreError",
    "Table",
    "UsageError",
    "VariantCalls",
    "__version__",
    "call_hits",
    "call_variants",
    "collapse_hits",
    "compare",
    "confidence",
    "export",
    "extract_regions",
    "filter_hits",
    "find_hits",
    "intersect_hits",
    "load_config",
    "open_run",
    "plot",
    "read_motifs",
    "report",
    "run_config",
    "runner_up",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
