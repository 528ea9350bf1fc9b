"""Every configuration in configs/ loads, and what is wrong in one is named by its key."""

from pathlib import Path

import pytest
import yaml

from finemo_dist.core.config import MotifConfig, ResourceConfig, SolverConfig
from finemo_dist.core.errors import UsageError
from finemo_dist.workflow.running import load_config

CONFIGS = Path(__file__).resolve().parents[1] / "configs"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda p: p.name)
def test_a_configuration_loads(path):
    config = load_config(path)

    assert config.samples
    assert config.output.is_absolute()
    assert all(p.is_absolute() for asked in config.of_samples.values() for p in asked.modisco_h5)


def test_every_configuration_is_described():
    readme = (CONFIGS / "README.md").read_text()

    for path in CONFIGS.glob("*.yaml"):
        assert f"`{path.name}`" in readme


def test_settings_of_single_samples_go_before_those_of_all():
    single = load_config(CONFIGS / "single-machine.yaml").of_samples
    atlas = load_config(CONFIGS / "atlas.yaml").of_samples

    assert [s.call.motifs.penalty for s in single.values()] == [0.7, 0.8]
    found = {
        n: ([path.name for path in s.modisco_h5], s.call.motifs.penalty) for n, s in atlas.items()
    }
    assert found == {
        "astrocyte": (["compendium.h5"], 0.7),
        "microglia": (["microglia.h5"], 0.7),
        "neuron": (["compendium.h5"], 0.8),
    }


def test_the_spelt_out_defaults_are_the_defaults():
    config = load_config(CONFIGS / "every-input.yaml")

    assert config.motifs == MotifConfig()
    assert config.solver == SolverConfig()
    assert config.resources == ResourceConfig()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"solver": {"lambda": 0.7}}, "solver.lambda"),
        ({"motifs": {"penalty": "high"}}, "motifs.penalty"),
        ({"resources": {"executor": "slurm"}}, "resources.executor"),
        ({"samples": []}, "samples"),
        ({"samples": [{"name": "a"}]}, "exactly one of"),
        (
            {"samples": [{"name": "a", "regions": "x"}, {"name": "a", "regions": "y"}]},
            "two samples have the name 'a'",
        ),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_wrong_key_or_value_is_named(tmp_path, change, named):
    content = yaml.safe_load((CONFIGS / "every-input.yaml").read_text()) | change
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(content))

    with pytest.raises(UsageError, match=named) as caught:
        load_config(path)

    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [1\n", "!!python/object:os.system {}\n", ""])
def test_what_is_no_mapping_is_refused(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)

    with pytest.raises(UsageError, match=r"config\.yaml"):
        load_config(path)
