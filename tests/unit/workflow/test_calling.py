"""Samples that cannot be called, before anything is written."""

import numpy as np
import pytest

from finemo_dist.core.config import CallConfig, ResourceConfig, SampleSettings
from finemo_dist.core.errors import InputError
from finemo_dist.core.memory import Demand
from finemo_dist.run import space
from finemo_dist.run.resources import Machine
from finemo_dist.testing.modisco import write_modisco_h5
from finemo_dist.testing.motifs import random_motifs
from finemo_dist.workflow.calling import call, executor_that_fits
from tests.unit.run.runs import write_inputs


def write_zeros(path):
    """Regions without any contribution."""
    one_hot = np.zeros((3, 4, 100), np.int8)
    one_hot[:, 1] = 1
    np.savez(path, sequences=one_hot, contributions=np.zeros((3, 100), np.float16))
    return path


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("x.zarr", "y.zarr"), ["x: {folder}/x.zarr: ", "y: {folder}/y.zarr: "]),
        # These are seen only when their regions are written.
        (("x.npz", "y.npz"), ["x: {folder}/x.npz: ", "y: {folder}/y.npz: "]),
        (("x.zarr", "y.npz"), ["x: {folder}/x.zarr: ", "y: {folder}/y.npz: "]),
    ],
)
def test_a_run_of_which_no_sample_can_be_called_names_each(tmp_path, names, said):
    write_modisco_h5(tmp_path / "motifs.h5", random_motifs(np.random.default_rng(0), 2))
    regions = {name[0]: tmp_path / name for name in names}
    for path in regions.values():
        if path.suffix == ".npz":
            write_zeros(path)
    settings = {name: SampleSettings(modisco_h5=(tmp_path / "motifs.h5",)) for name in regions}

    with pytest.raises(InputError) as caught:
        call(tmp_path / "run", regions, settings, ResourceConfig(executor="serial"))

    assert str(caught.value).startswith("2 of 2 samples were not ")
    assert all(word.format(folder=tmp_path) in str(caught.value) for word in said)
    assert not (tmp_path / "run" / "run.json").exists()
    assert not list(tmp_path.rglob("*.parquet"))


@pytest.mark.parametrize(("n_fitting", "n_workers"), [(9, 6), (4, 4), (1, 1)])
def test_no_more_workers_start_than_memory_holds(tmp_path, monkeypatch, n_fitting, n_workers):
    inputs = write_inputs(tmp_path)
    plan = inputs.plan(tmp_path / "run")
    resources = ResourceConfig(executor="processes")
    config = CallConfig()
    demand = Demand(config.solver, inputs.motifs(config), 150)
    each = space.worker_bytes(resources.batch_regions, demand.region_bytes)
    monkeypatch.setattr(space, "free_memory", lambda: int((n_fitting + 0.5) * each))

    # Six shards, and more cores than that.
    found = executor_that_fits(resources, plan, inputs.spec(plan), Machine(8, 0), demand)

    assert found.describe()["n_workers"] == n_workers
