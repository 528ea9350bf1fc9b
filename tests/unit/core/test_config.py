"""Configurations: what they refuse, and digests."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from finemo_dist.core.config import (
    CallConfig,
    MotifConfig,
    ResourceConfig,
    SolverConfig,
    digest_of,
)

MODELS = [MotifConfig, SolverConfig, CallConfig, ResourceConfig]
NAN = float("nan")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("model", MODELS)
def test_an_unknown_key_is_refused(model):
    with pytest.raises(ValidationError, match="lambda"):
        model(**{"lambda": 0.7})


@pytest.mark.parametrize("model", MODELS)
def test_a_configuration_cannot_be_changed(model):
    config = model()

    with pytest.raises(ValidationError, match="frozen"):
        setattr(config, next(iter(model.model_fields)), None)


@pytest.mark.parametrize(
    ("model", "key", "value"),
    [
        (MotifConfig, "trim_threshold", -0.1),
        (MotifConfig, "trim_threshold", 1.1),
        (MotifConfig, "trim_threshold", NAN),
        (MotifConfig, "trim_thresholds", {"a": 2}),
        (MotifConfig, "trim_coords", {"a": (1,)}),
        (MotifConfig, "penalty", 0),
        (MotifConfig, "penalty", NAN),
        (MotifConfig, "penalty", float("inf")),
        (MotifConfig, "penalties", {"a": -1}),
        (SolverConfig, "name", "newton"),
        (SolverConfig, "mode", "xx"),
        (SolverConfig, "tolerance", 0),
        (SolverConfig, "max_steps", 0),
        (SolverConfig, "step_size_max", -1),
        (SolverConfig, "step_adjust", 1),
        (SolverConfig, "step_adjust", NAN),
        (ResourceConfig, "executor", "slurm"),
        (ResourceConfig, "executor", "ray\n"),
        (ResourceConfig, "n_workers", 0),
        (ResourceConfig, "device", "tpu"),
        (ResourceConfig, "batch_regions", 0),
        (ResourceConfig, "unit_timeout_s", 0),
    ],
)
def test_a_value_out_of_range_is_refused_by_its_key(model, key, value):
    with pytest.raises(ValidationError) as caught:
        model(**{key: value})

    assert caught.value.errors()[0]["loc"][0] == key


@pytest.mark.parametrize("model", MODELS)
def test_a_configuration_comes_back_from_json(model):
    config = model()

    assert model(**json.loads(config.model_dump_json())) == config


@pytest.mark.slow
@given(value=st.dictionaries(st.text(), JSON, max_size=4))
def test_a_digest_does_not_depend_on_the_order_of_keys(value):
    assert digest_of(dict(reversed(value.items()))) == digest_of(value)


@given(a=JSON, b=JSON)
def test_digests_are_equal_where_json_is(a, b):
    same = json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)

    assert (digest_of(a) == digest_of(b)) == same


def test_a_digest_is_the_same_in_every_release():
    """Parts that stand are known by it: another digest would solve every run anew."""
    assert digest_of({"b": [1, 0.5], "a": None}) == "a17a1ecae6f3eec7c5a22ec4a4441fb1"


def test_every_setting_of_the_solver_decides_the_digest():
    config = SolverConfig()
    changes = {
        "name": "dense", "mode": "hh", "use_sqrt_transform": True, "use_post_filter": False,
        "tolerance": 1e-7, "max_steps": 9, "step_size_max": 2.0, "step_size_min": 0.1,
        "step_adjust": 0.5, "use_compile": True, "merge_palindromes": True,
    }  # fmt: skip
    assert changes.keys() == SolverConfig.model_fields.keys()

    digests = {
        digest_of(SolverConfig(**{key: value}).model_dump(mode="json"))
        for key, value in changes.items()
    }

    assert len(digests | {digest_of(config.model_dump(mode="json"))}) == len(changes) + 1
