"""Parts of the page of a comparison: the order of a map, and the bars beside it."""

from types import SimpleNamespace

import pytest

from finemo_dist.reports.comparison_page import _COLOURS, _tracks, _tree


@pytest.mark.parametrize(("n", "n_links"), [(0, 0), (1, 0), (2, 1), (5, 4)])
def test_a_tree_has_a_link_less_than_leaves(rng, n, n_links):
    """One motif, or one sample, is a map of one row and has none."""
    order, links = _tree(rng.normal(size=(n, 3)))

    assert sorted(order) == list(range(n))
    assert len(links) == n_links


def test_columns_with_one_value_or_with_very_many_are_no_bars():
    samples = tuple(f"s{i}" for i in range(len(_COLOURS) + 1))
    side = [i % 2 for i in range(len(samples))]
    groups = {sample: "ab"[i] for sample, i in zip(samples, side, strict=True)}
    metadata = {
        "group": dict.fromkeys(samples, "said by the sheet"),
        "the same again": groups,
        "constant": dict.fromkeys(samples, "x"),
        "names": {sample: sample for sample in samples},
        "batch": {samples[0]: "1"},
    }
    data = SimpleNamespace(samples=samples, names=("a", "b"), side=side, metadata=metadata)
    order = list(range(len(samples)))[::-1]

    group, batch = _tracks(data, order, 10.0, 2.0)

    assert (group.name, batch.name) == ("group", "batch")
    assert [text for *_, text in group.bars] == [groups[samples[row]] for row in order]
    assert [text for *_, text in batch.bars] == [""] * (len(samples) - 1) + ["1"]
    assert batch.bars[-1][0] == 10.0 + 2.0 * (len(samples) - 1)
    assert len({colour for _, colour, _ in group.bars}) == 2
