"""A paragraph for the methods section of a paper, made from the run, and its references."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from finemo_dist.core.words import count
from finemo_dist.reports.page_model import Provenance, Summary


@dataclass(frozen=True, slots=True)
class Methods:
    """Sentences and the works they cite, numbered from 1."""

    paragraph: str
    references: tuple[str, ...]


_REFERENCES: Final = {
    "finemo": "Wang A. finemo_gpu: a GPU-accelerated motif instance calling tool. "
    "https://github.com/austintwang/finemo_gpu.",
    "modisco": "Shrikumar A, Tian K, Avsec Ž, Shcherbina A, Banerjee A, Sharmin M, Nair S, "
    "Kundaje A. Technical note on transcription factor motif discovery from importance scores "
    "(TF-MoDISco). arXiv:1811.00416 (2018).",
    "bpnet": "Avsec Ž, Weilert M, Shrikumar A, et al. Base-resolution models of transcription-"
    "factor binding reveal soft motif syntax. Nature Genetics 53, 354-366 (2021).",
    "kim": "Kim SJ, Koh K, Lustig M, Boyd S, Gorinevsky D. An interior-point method for "
    "large-scale l1-regularized least squares. IEEE Journal of Selected Topics in Signal "
    "Processing 1, 606-617 (2007).",
}

_MODES: Final = {
    "pp": "projected CWMs and projected contribution scores",
    "ph": "projected CWMs and hypothetical contribution scores",
    "hp": "hypothetical CWMs and projected contribution scores",
    "hh": "hypothetical CWMs and hypothetical contribution scores",
}


def methods(summary: Summary, provenance: Provenance) -> Methods:
    """Return a methods paragraph; what the parameters do not say is left out, not guessed."""
    works = _Citations()
    sentences = [
        f"Motif instances were called in {count(summary.n_regions_done, 'region')} of "
        f"{count(summary.n_samples, 'sample')} with {_caller(provenance, works)}, using "
        f"contribution weight matrices (CWMs) {works.cite('bpnet')} of "
        f"{count(summary.n_motifs, 'motif')} read from a TF-MoDISco file {works.cite('modisco')}.",
        _problem(provenance),
        _stopping(summary, provenance, works),
        _filter(provenance),
        f"This gave {count(summary.n_hits, 'hit')} at {count(summary.n_unique, 'distinct site')}.",
    ]
    paragraph = " ".join(sentence for sentence in sentences if sentence)
    return Methods(paragraph, tuple(_REFERENCES[key] for key in works.keys))


@dataclass(slots=True)
class _Citations:
    """Works in the order in which they are first cited."""

    keys: list[str] = field(default_factory=list)

    def cite(self, *keys: str) -> str:
        self.keys += [key for key in keys if key not in self.keys]
        return "[" + ",".join(str(self.keys.index(key) + 1) for key in keys) + "]"


def _caller(provenance: Provenance, works: _Citations) -> str:
    if provenance.caller == "finemo":
        return f"finemo {works.cite('finemo')}"
    return (
        f"finemo_dist {provenance.version}, which solves the optimisation problem of finemo "
        f"{works.cite('finemo')}"
    )


def _problem(provenance: Provenance) -> str:
    p = provenance.parameters
    used = f" ({_MODES[p['mode']]})" if p.get("mode") in _MODES else ""
    weight = f" with weight lambda = {p['lambda']}" if "lambda" in p else ""
    own = "; some motifs had their own weights" if p.get("lambdas of motifs") else ""
    root = (
        " The scores were first replaced by their signed square roots."
        if _is_on(p, "square root")
        else ""
    )
    trim = (
        f" CWMs were trimmed to the columns above {p['trim threshold']} of the largest column."
        if "trim threshold" in p
        else ""
    )
    return (
        "Each region's normalised contribution scores were reconstructed as a sparse non-negative "
        f"combination of positioned CWMs{used}, by least squares with an L1 penalty{weight}{own}."
        f"{trim}{root}"
    )


def _stopping(summary: Summary, provenance: Provenance, works: _Citations) -> str:
    if provenance.caller == "finemo":
        return ""
    how = {"working-set": "an active-set method over working sets", "dense": "accelerated "
           "proximal gradient"}.get(provenance.parameters.get("solver", ""))  # fmt: skip
    by = f" by {how}" if how else ""
    unsolved = summary.n_not_converged
    state = "every region" if not unsolved else f"all but {count(unsolved, 'region')}"
    if provenance.parameters.get("solver") == "dense":
        return f"The problem was solved{by}; {state} reached the tolerance {summary.tolerance:g}."
    return (
        f"The problem was solved{by}; the duality gap {works.cite('kim')} over the region width "
        f"was within {summary.tolerance:g} in {state}, at most {summary.max_gap:.1g}."
    )


def _filter(provenance: Provenance) -> str:
    p = provenance.parameters
    if "post filter" not in p:
        return ""
    if _is_on(p, "post filter"):
        return "Hits whose cosine similarity to their trimmed CWM was below lambda were discarded."
    return "Hits were kept regardless of their similarity to their CWM."


def _is_on(parameters: Mapping[str, str], key: str) -> bool:
    return parameters.get(key) == "yes"
