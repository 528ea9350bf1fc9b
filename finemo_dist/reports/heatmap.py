"""Matrices as indexed PNG: a cell a pixel, so that 100,000 cells are one light image."""

import base64
import struct
import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Anchors of viridis and of a blue-orange scale that is grey in the middle; both keep their order
# for colour-blind readers and in print.
_VIRIDIS: Final = (
    "#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58",
    "#b5de2b", "#fde725",
)  # fmt: skip
_BLUE_ORANGE: Final = (
    "#0b559f", "#2b7bba", "#63a5d6", "#a9cbe6", "#e9ebee", "#f5cfa4", "#eba45a", "#cf7420",
    "#974c04",
)  # fmt: skip
_MISSING: Final = (128, 128, 128)
_LEVELS: Final = 255


@dataclass(frozen=True, slots=True)
class Scale:
    """Colours from ``low`` to ``high``; what lies outside takes the colour of the end."""

    low: float
    high: float
    is_diverging: bool = False

    @property
    def stops(self) -> tuple[str, ...]:
        """Colours at even distances, for a legend."""
        return _BLUE_ORANGE if self.is_diverging else _VIRIDIS


def heatmap_png(values: NDArray[np.floating], scale: Scale) -> bytes:
    """Return a PNG of (rows, columns) values, a pixel each; NaN is grey."""
    span = scale.high - scale.low or 1.0
    finite = np.nan_to_num((np.asarray(values, np.float64) - scale.low) / span)
    index = np.round(np.clip(finite, 0, 1) * (_LEVELS - 1)).astype(np.uint8) + 1
    index[np.isnan(values)] = 0
    rows, columns = index.shape
    # Each line begins with its filter; 0 is none.
    lines = np.zeros((rows, columns + 1), np.uint8)
    lines[:, 1:] = index
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"PLTE", _colour_table(scale.stops).tobytes())
        + _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9))
        + _chunk(b"IEND", b"")
    )


def data_uri(png: bytes) -> str:
    """Return a PNG as the address of an image that lies in the page itself."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def packed(values: NDArray[np.floating]) -> str:
    """Return values as base64 of little-endian float32, rows first."""
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode("ascii")


def _colour_table(stops: tuple[str, ...]) -> NDArray[np.uint8]:
    anchors = np.array([[int(s[i : i + 2], 16) for i in (1, 3, 5)] for s in stops], float)
    at = np.linspace(0, len(stops) - 1, _LEVELS)
    known = np.arange(len(stops))
    shades = np.stack([np.interp(at, known, anchors[:, i]) for i in range(3)], axis=1)
    return np.vstack([[_MISSING], np.round(shades)]).astype(np.uint8)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
