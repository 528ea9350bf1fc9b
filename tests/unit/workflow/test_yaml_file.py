"""YAML as configurations and rules have it: strict, and refused in one line."""

import pytest

from finemo_dist.core.errors import UsageError
from finemo_dist.workflow.yaml_file import read_yaml


def test_what_is_merged_may_be_given_anew(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("a: &base {x: 1, y: 2}\nb: {<<: *base, x: 3}\n")

    assert read_yaml(path)["b"] == {"x": 3, "y": 2}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: {c: 1, d: 2, c: 3}\n", "line 2: the key 'c' appears twice, first in line 2."),
        ("a: !!map [1, 2]\n", "is not YAML (expected a mapping node, but found sequence"),
        ("a: !!map x\n", "is not YAML (expected a mapping node, but found scalar"),
        ("a: {[1, 2]: x}\n", "is not YAML (while constructing a mapping"),
        ("a: 2001-99-99\n", "is not YAML (month must be in 1..12"),
        ("- a\n", "holds list, expected keys such as output, modisco_h5 and samples."),
        ("1: a\n", "holds dict, expected keys such as output, modisco_h5 and samples."),
        ("", "holds NoneType, expected keys such as output"),
    ],
)
def test_what_is_no_mapping_of_names_is_refused(tmp_path, text, said):
    path = tmp_path / "x.yaml"
    path.write_text(text)

    with pytest.raises(UsageError) as caught:
        read_yaml(path)

    assert str(caught.value).startswith(f"{path}: {said}")
    assert "\n" not in str(caught.value)
