"""npy and npz files of any shape and type: read as what they hold, or refused."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.fuzz.corpus import Corpus, read_regions
from tests.fuzz.outcome import assert_clear, run_command

_TYPES = ["f2", "f4", "f8", ">f4", "i1", "u1", "i8", "u8", "?", "c8", "U2", "S3", "M8[s]", "O",
          "m8[s]", "V4", "f2,i4"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ArrayPair:
    """Sequences and attributions, and how they are saved."""

    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    types: tuple[str, str]
    order: str
    form: str
    key: str
    width: int
    seed: int
    special: float | None

    def arrays(self) -> tuple[NDArray[Any], NDArray[Any]]:
        rng = np.random.default_rng(self.seed)
        sequences = np.zeros(self.shapes[0], np.int8)
        if len(self.shapes[0]) == 3 and self.shapes[0][1] == 4:
            n, _, width = self.shapes[0]
            codes = rng.integers(0, 5, (n, width))
            sequences = (codes[:, None] == np.arange(4)[:, None]).astype(np.int8)
        scores = np.asarray(rng.normal(size=self.shapes[1]) * 4)
        if self.special is not None and scores.size:
            scores.flat[-1] = self.special
        with np.errstate(all="ignore"):
            return _cast(sequences, self.types[0], self.order), _cast(
                scores, self.types[1], self.order
            )


def _cast(values: NDArray[Any], kind: str, order: str) -> NDArray[Any]:
    if kind in {"V4", "f2,i4"}:
        return np.zeros(values.shape, kind)
    if kind in {"M8[s]", "m8[s]"}:
        values = values.astype("i8")
    return np.asarray(values.astype(kind), order=order)


@st.composite
def array_pairs(draw: st.DrawFn) -> ArrayPair:
    """Pairs of arrays, most of which fit each other."""
    n, width = draw(st.integers(0, 5)), draw(st.integers(0, 12))
    shape = (n, 4, width)
    shapes = [shape, shape]
    types = [draw(st.sampled_from(["i1", "f4", "f2"])), draw(st.sampled_from(["f2", "f4", "f8"]))]
    if draw(st.booleans()):
        odd = [(), (n,), (n, width), (n, width, 4), (n, 4, width + 1), (n + 1, 4, width),
               (n, 5, width), (n, 4, width, 1), (0,), (0, 4, 0)]  # fmt: skip
        shapes[draw(st.integers(0, 1))] = draw(st.sampled_from(odd))
    if draw(st.booleans()):
        types[draw(st.integers(0, 1))] = draw(st.sampled_from(_TYPES))
    return ArrayPair(
        (shapes[0], shapes[1]),
        (types[0], types[1]),
        draw(st.sampled_from(["C", "C", "C", "F"])),
        draw(st.sampled_from(["npy", "npz", "npz compressed", "txt"])),
        draw(st.sampled_from(["arr_0", "arr_0", "x", "../x", "a b", "é", "allow_pickle_"])),
        draw(st.sampled_from([2, 4, 8, 3, 0, 100])),
        draw(st.integers(0, 2**31)),
        draw(st.sampled_from([None, None, None, np.nan, np.inf, -np.inf, 1e30, 1e-30, 7e4])),
    )


def _save(path: Path, values: NDArray[Any], case: ArrayPair) -> None:
    if case.form == "npy":
        with path.open("wb") as handle:
            np.save(handle, values, allow_pickle=True)
    elif case.form == "txt":
        path.write_text(str(values))
    else:
        save = np.savez if case.form == "npz" else np.savez_compressed
        with path.open("wb") as handle:
            save(handle, **{case.key: values})


def check(_corpus: Corpus, folder: Path, case: ArrayPair) -> None:
    """Extract from the arrays."""
    sequences, scores = case.arrays()
    _save(folder / "ohe", sequences, case)
    _save(folder / "attr", scores, case)
    out = folder / "out.zarr"
    outcome = run_command(
        "extract-regions-modisco-fmt", "-s", folder / "ohe", "-a", folder / "attr",
        "-o", out, "-w", case.width,
    )  # fmt: skip
    if not assert_clear(outcome):
        assert not out.exists()
        return
    found = read_regions(out)
    if not len(sequences):
        # Of no region there is no value to compare, whatever the type of the array.
        assert found.sequence.shape == (0, case.width)
        return
    first = sequences.shape[2] // 2 - case.width // 2
    columns = slice(first, first + case.width)
    one_hot = sequences[:, :, columns].astype(np.int8)
    codes = np.where(one_hot.any(axis=1), one_hot.argmax(axis=1), 4)
    assert np.array_equal(found.sequence, codes)
    expected = np.nan_to_num(scores[:, :, columns].astype(np.float64), nan=0)
    largest = np.abs(expected).max(axis=(1, 2), keepdims=True, initial=0)
    # Eleven significant bits, and float16's subnormals below 2^-28 of the largest.
    error = np.abs(found.contributions - expected)
    assert (error <= np.abs(expected) * 2**-11 + largest * 2**-28).all()
