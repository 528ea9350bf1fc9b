"""Sources by the name of their kind, which configurations and workers use."""

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from finemo_dist.core.protocols import Source

SourceKind = Literal["bigwig", "chrombpnet_h5", "bpnet_h5", "modisco_arrays"]

SOURCE_KINDS: Final[tuple[SourceKind, ...]] = get_args(SourceKind)


def make_source(kind: SourceKind, options: Mapping[str, Any]) -> Source:
    """Return the source of a kind.

    Parameters
    ----------
    options
        Of its constructor, by name.

    Raises
    ------
    InputError, UsageError
        A file is missing or damaged, or the inputs do not fit each other.
    """
    # Each kind has a library of its own to load.
    match kind:
        case "bigwig":
            from finemo_dist.sources.bigwig import BigWigSource

            return BigWigSource(**options)
        case "chrombpnet_h5":
            from finemo_dist.sources.h5 import ChromBpnetSource

            return ChromBpnetSource(**options)
        case "bpnet_h5":
            from finemo_dist.sources.h5 import BpnetSource

            return BpnetSource(**options)
        case "modisco_arrays":
            from finemo_dist.sources.arrays import ModiscoArraysSource

            return ModiscoArraysSource(**options)
