"""Reading YAML strictly: a key that appears twice is an error, as YAML 1.2.2 (3.2.1.1) says."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, Final

import yaml

from finemo_dist.core.errors import UsageError
from finemo_dist.storage.text import read_text

_MERGE: Final = "tag:yaml.org,2002:merge"


class _StrictLoader(yaml.SafeLoader):
    """PyYAML's safe loader, which would take the last of equal keys without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  (PyYAML's)
        """Return a mapping whose keys are all different."""
        if isinstance(node, yaml.MappingNode):
            self._check_keys(node)
        return super().construct_mapping(node, deep)

    def _check_keys(self, node: yaml.MappingNode) -> None:
        first: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            # What a merge brings may be given anew: that is what it is for.
            if key_node.tag == _MERGE or not isinstance(key_node, yaml.ScalarNode):
                continue
            key = self.construct_object(key_node)
            line = key_node.start_mark.line + 1
            if key in first:
                raise UsageError(
                    f"line {line}: the key {key_node.value!r} appears twice, first in line "
                    f"{first[key]}. Keep one of the two."
                )
            first[key] = line


def read_yaml(path: Path) -> dict[str, Any]:
    """Return a YAML file that holds a mapping.

    Raises
    ------
    UsageError
        It cannot be read, is no YAML, holds a key twice at any depth, or is no mapping of names.
    """
    text = read_text(path, kind=UsageError)
    try:
        content = _StrictLoader(text).get_single_data()
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        # Besides its own errors PyYAML raises those of what it makes: of a date with month 99.
        reason = " ".join(str(error).split())
        raise UsageError(f"{path}: is not YAML ({reason}).") from error
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise UsageError(
            f"{path}: holds {type(content).__name__}, expected keys such as output, modisco_h5 "
            "and samples. See configs/ for examples."
        )
    return content
