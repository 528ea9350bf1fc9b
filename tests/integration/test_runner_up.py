"""The runner-up of a hit, against solving by hand without its motif."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

import finemo_dist
from finemo_dist.store.staging import encode
from finemo_dist.testing.modisco import write_modisco_h5
from finemo_dist.testing.scenarios import make_scenario
from finemo_dist.workflow.runner_up import save_runner_up
from tests.calibration import SERIAL
from tests.command import finemo_dist as command


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A run of motifs with relatives."""
    folder = tmp_path_factory.mktemp("family")
    scenario = make_scenario("family", seed=2, n_regions=12)
    encode(scenario.source, folder / "s.zarr")
    write_modisco_h5(folder / "motifs.h5", scenario.called)
    finemo_dist.call_hits(folder / "s.zarr", folder / "motifs.h5", folder / "run", resources=SERIAL)
    return folder, scenario


def objective(batch, motifs, row):
    """Half the squared residual of a region and the penalties, from the public functions."""
    found = finemo_dist.find_hits(
        np.eye(4)[batch.sequence[row : row + 1]].transpose(0, 2, 1),
        batch.contributions[row : row + 1],
        motifs,
        post_filter=False,
    )
    nll = found.qc.to_pandas()["nll"][0]
    return 1000 * nll + 0.7 * found.to_pandas()["hit_coefficient"].sum()


def test_the_margin_is_what_the_objective_loses(inputs):
    folder, scenario = inputs
    batch = scenario.source.read(0, 12)
    table = finemo_dist.runner_up(folder / "run").to_pandas()
    every = [str(name) for name in scenario.called.name]

    for peak, motif in table[["peak_id", "motif_name"]].drop_duplicates().values[:12]:
        others = [name for name in every if name != motif]
        whole = finemo_dist.read_motifs(folder / "motifs.h5")
        rest = finemo_dist.read_motifs(folder / "motifs.h5", include=others)
        margin = objective(batch, rest, peak) - objective(batch, whole, peak)
        found = table[(table["peak_id"] == peak) & (table["motif_name"] == motif)]["margin"]
        assert found.to_numpy() == pytest.approx(margin, rel=1e-3, abs=1e-4)
        assert margin > 0


def test_the_runner_up_of_a_member_is_mostly_its_relative(inputs):
    folder, scenario = inputs
    table = finemo_dist.runner_up(folder / "run").to_pandas()

    named = table[table["runner_up"].notna()]
    is_kin = [
        scenario.family[a] == scenario.family[b]
        for a, b in zip(named["motif_name"], named["runner_up"], strict=True)
    ]
    assert (table["runner_up"] != table["motif_name"]).all()
    assert np.mean(is_kin) > 0.6
    # The place is that of the hit.
    assert (abs(named["runner_up_start"] - named["start_untrimmed"]) <= 30).all()


def test_hits_can_be_chosen_and_written(inputs, tmp_path):
    folder, _ = inputs
    motif = "pos_patterns.pattern_0"

    command("runner-up", folder / "run", "--motif", motif, "-o", tmp_path / "x.tsv")

    header, *lines = (tmp_path / "x.tsv").read_text().splitlines()
    assert header.split("\t")[-5:] == [
        "runner_up", "runner_up_strand", "runner_up_start", "runner_up_coefficient", "margin",
    ]  # fmt: skip
    n_hits = len(finemo_dist.open_run(folder / "run").hits(motif=motif).to_pandas())
    assert len(lines) == n_hits > 0


def test_a_file_has_the_rows_of_the_answer_whatever_its_form(inputs, tmp_path):
    folder, _ = inputs
    motif = "pos_patterns.pattern_0"
    expected = finemo_dist.runner_up(folder / "run", motif=motif).to_pandas()

    for name, read in (("x.parquet", pd.read_parquet), ("x.tsv", partial(pd.read_csv, sep="\t"))):
        assert save_runner_up(folder / "run", tmp_path / name, motif=motif) == len(expected) > 0
        found = read(tmp_path / name)
        columns = ["peak_id", "start", "runner_up", "runner_up_start"]
        assert found[columns].values.tolist() == expected[columns].values.tolist()
        assert np.allclose(found["margin"], expected["margin"])
