"""Motifs to call, read from files: the value that ``read_motifs`` returns."""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finemo_dist.core import records
from finemo_dist.core.config import MotifConfig
from finemo_dist.core.errors import UsageError, nearest
from finemo_dist.core.records import Mode
from finemo_dist.core.words import count
from finemo_dist.motifs.build import build_motif_set
from finemo_dist.motifs.files import read_motif_files
from finemo_dist.motifs.mappings import read_names, read_numbers, read_renames, read_windows
from finemo_dist.motifs.modisco import Pattern
from finemo_dist.workflow.settings import checked

Paths = str | Path | Iterable[str | Path]
"""One file, or several."""


@dataclass(frozen=True, slots=True, repr=False)
class MotifSet:
    """Motifs with their trims, names and lambdas, for any mode.

    ``len`` is the number of motifs; each is called on both strands.
    """

    patterns: tuple[Pattern, ...]
    """The motifs as in the files, including those that are left out."""
    settings: MotifConfig

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def _kept(self) -> list[Pattern]:
        include = self.settings.include
        return [p for p in self.patterns if include is None or p.name in include]

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the output, in the order of the files."""
        return tuple(self.settings.names.get(p.name, p.name) for p in self._kept)

    @property
    def sources(self) -> tuple[str, ...]:
        """The file that each motif comes from."""
        return tuple(p.source for p in self._kept)

    def cwm(self, name: str, *, hypothetical: bool = False) -> NDArray[np.float64]:
        """Return the untrimmed CWM of a motif, (4, W), in the units of its file.

        Raises
        ------
        UsageError
            There is no motif of this name.
        """
        for pattern, own in zip(self._kept, self.names, strict=True):
            if name in (own, pattern.name):
                return pattern.hypothetical if hypothetical else pattern.contributions
        raise UsageError(f"There is no motif {name!r}.{nearest(name, self.names)}")

    def both_strands(self, mode: Mode | str = Mode.PP) -> records.MotifSet:
        """Return the motifs as they are called in a mode: normalised float16 CWMs of both strands.

        Raises
        ------
        InputError
            The settings name a missing motif, or trim a motif to nothing.
        """
        return build_motif_set(self.patterns, self.settings, Mode(mode))

    def with_settings(self, **changes: Any) -> "MotifSet":  # noqa: ANN401
        """Return the same motifs with fields of ``MotifConfig`` changed, such as ``penalty``.

        Raises
        ------
        UsageError
            A setting has an impossible value.
        """
        return MotifSet(
            self.patterns, checked(MotifConfig, **{**self.settings.model_dump(), **changes})
        )

    def __repr__(self) -> str:
        files = ", ".join(dict.fromkeys(Path(source).name for source in self.sources))
        n = len(self)
        return f"<MotifSet: {count(n, 'motif')} from {files}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{p.contributions.shape[1]}</td>"
            f"<td>{html.escape(Path(p.source).name)}</td></tr>"
            for name, p in zip(self.names[:10], self._kept[:10], strict=True)
        )
        more = f"<p>and {len(self) - 10:,} more</p>" if len(self) > 10 else ""
        return (
            f"<p>{html.escape(repr(self)[1:-1])}</p><table><thead><tr><th>motif</th>"
            f"<th>columns</th><th>file</th></tr></thead><tbody>{rows}</tbody></table>{more}"
        )


def read_motifs(
    paths: Paths,
    *,
    trim_threshold: float = 0.3,
    trim_thresholds: Mapping[str, float] | str | Path | None = None,
    trim_coords: Mapping[str, tuple[int, int]] | str | Path | None = None,
    penalty: float = 0.7,
    penalties: Mapping[str, float] | str | Path | None = None,
    include: Sequence[str] | str | Path | None = None,
    names: Mapping[str, str] | str | Path | None = None,
) -> MotifSet:
    """Return the motifs of one or several files.

    Parameters
    ----------
    paths
        TF-MoDISco H5 files.
    trim_threshold
        Columns whose summed ``|CWM|`` is below this share of the largest are trimmed off both
        ends; 0 to 1.
    trim_thresholds, trim_coords, penalties, names
        For single motifs, by their names in the files: a mapping, or the tab-separated file that
        ``call-hits`` takes (``-T``, ``-R``, ``-L``, ``-N``). Windows are half-open columns.
    penalty
        Lambda, the weight of the L1 penalty: the least cosine that a hit has with its motif.
    include
        Names of the motifs to keep, or a file of them (``-I``); all when None.

    Raises
    ------
    InputError
        A file cannot be read, or a setting names a motif that no file holds.
    UsageError
        A setting is out of range.
    """
    files = [paths] if isinstance(paths, str | Path) else list(paths)
    readers: Mapping[str, tuple[Any, Any]] = {
        "trim_thresholds": (trim_thresholds, read_numbers),
        "trim_coords": (trim_coords, read_windows),
        "penalties": (penalties, read_numbers),
        "include": (include, read_names),
        "names": (names, read_renames),
    }
    given = {
        key: read(value) if isinstance(value, str | Path) else value
        for key, (value, read) in readers.items()
        if value is not None
    }
    settings = checked(MotifConfig, trim_threshold=trim_threshold, penalty=penalty, **given)
    motifs = MotifSet(tuple(read_motif_files(files)), settings)
    # What is wrong with names and trims is said here and not when hits are called.
    motifs.both_strands()
    return motifs
