"""What runs beside us on the machine: Ray on loopback alone, temporary files for us alone."""

import stat
import tempfile
from pathlib import Path

import pytest

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.run import ray_session
from finemo_dist.sources.genome import Genome
from tests.unit.catalog.builder import hit, write_run


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_cluster_of_our_own_is_on_loopback_and_has_no_dashboard(monkeypatch, device):
    asked = {}
    monkeypatch.setattr(ray_session.ray, "init", lambda **options: asked.update(options))

    with ray_session.ray_session(None, n_cores=2, n_gpus=2 if device == "cuda" else 0):
        pass

    assert asked["_node_ip_address"] == "127.0.0.1"
    assert asked["include_dashboard"] is False
    assert asked["address"] == "local"


@pytest.fixture
def made(monkeypatch, tmp_path):
    """Return the modes of everything temporary that is made, gone or not."""
    folder = tmp_path / "temporary"
    folder.mkdir(mode=0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    modes: list[int] = []
    real = tempfile.mkdtemp

    def mkdtemp(*words, **options):
        path = real(*words, **options)
        modes.append(stat.S_IMODE(Path(path).stat().st_mode))
        return path

    monkeypatch.setattr(tempfile, "mkdtemp", mkdtemp)
    return modes


def test_temporary_folders_are_private_and_gone_afterwards(made, tmp_path):
    run = write_run(tmp_path / "run", {"a": [[hit()]]})
    fasta = tmp_path / "g.fa"
    fasta.write_text(">a\nACGT\n")

    with open_catalog(run):
        pass
    # What a genome keeps beside is a file without a name.
    Genome(fasta).codes("a")

    assert made
    assert set(made) == {0o700}
    assert list((tmp_path / "temporary").iterdir()) == []
