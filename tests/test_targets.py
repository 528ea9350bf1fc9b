"""What `make test` and `make test-system` run: each test is in one of them and in no other."""

import re

import pytest

from tests.conftest import COLLECTED, LONGEST, PROJECT

MAKEFILE = (PROJECT / "Makefile").read_text()


def selected_by(target: str) -> str:
    """The words of a target after those that all have: which tests it takes."""
    (words,) = re.findall(
        rf"^{target}:.*\n(?:\t@.*\n)*\t\$\(PYTEST\) (.*)$", MAKEFILE, re.MULTILINE
    )
    return words.removesuffix(" $(PYTEST_ARGS)")


def test_each_test_is_in_one_of_the_two_targets():
    assert selected_by("test") == '-m "not system"'
    assert selected_by("test-system") == "$(MORE) -m system"


def test_the_unit_tests_are_a_part_of_the_tests():
    assert '-m "not system and not slow"' in selected_by("test-unit")


def test_continuous_integration_runs_both():
    called = re.findall(r"^make (\S+)", (PROJECT / ".ci/run").read_text(), re.MULTILINE)

    assert {"check", "test", "test-system"} <= set(called)


@pytest.mark.parametrize(
    "place",
    [
        "integration/cluster/",
        "integration/launch/",
        "integration/objects/test_end_to_end.py",
        "integration/test_report_in_chromium.py",
        "integration/test_resume.py",
    ],
)
def test_clusters_browsers_servers_and_kills_are_of_the_system(pytestconfig, place):
    for item in pytestconfig.stash[COLLECTED]:
        if item.path.relative_to(PROJECT / "tests").as_posix().startswith(place):
            assert item.get_closest_marker("system"), item.nodeid


@pytest.mark.parametrize("name", LONGEST)
def test_the_longest_are_where_they_are_looked_for(name):
    assert (PROJECT / "tests" / name).exists()
