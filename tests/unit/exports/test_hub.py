"""A track hub: what browsers read of it is what the run holds."""

import json
import re
from xml.etree import ElementTree

import pybigtools
import pytest

import finemo_dist
from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.core.errors import UsageError
from finemo_dist.exports.hub import export_hub
from tests.unit.exports.builder import SAMPLES, small_run


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    with open_catalog(small_run(tmp_path_factory.mktemp("run"))) as catalog:
        yield catalog


def stanzas(path):
    """The stanzas of a file of UCSC's, each as its settings."""
    return [
        dict(line.split(" ", 1) for line in stanza.splitlines())
        for stanza in path.read_text("utf-8").split("\n\n")
    ]


@pytest.fixture(scope="module")
def hub(catalog, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hubs") / "hub"
    with_places = [name for name in catalog.samples if catalog.sample(name).has_coordinates]
    export_hub(catalog, folder, with_places, genome="hg38")
    return folder


def test_each_file_of_a_hub_leads_to_the_next(hub):
    (top,) = stanzas(hub / "hub.txt")
    (genome,) = stanzas(hub / top["genomesFile"])
    tracks = stanzas(hub / genome["trackDb"])

    assert {"hub", "shortLabel", "longLabel", "genomesFile", "email"} <= top.keys()
    assert genome["genome"] == "hg38"
    assert len({track["track"] for track in tracks}) == len(tracks)
    for track in tracks:
        assert track["type"] == "bigBed 6 +"
        assert len(track["shortLabel"]) <= 17
        assert ((hub / genome["trackDb"]).parent / track["bigDataUrl"]).is_file()


def test_the_bigbeds_hold_each_hit_of_their_sample_once(catalog, hub):
    n_read = 0
    for path in sorted((hub / "hg38").glob("*.bb")):
        with pybigtools.open(str(path)) as file:
            n_read += sum(len(list(file.records(chrom))) for chrom in file.chroms())

    ((n_hits,),) = catalog.rows('SELECT count(*) FROM hits_unique WHERE "end" > 0')
    assert n_read == n_hits > 0


def test_the_sessions_name_the_same_files(hub):
    tracks = {f"hg38/{path.name}" for path in (hub / "hg38").glob("*.bb")}
    igv = ElementTree.parse(hub / "igv_session.xml").getroot()
    washu = json.loads((hub / "washu.json").read_text("utf-8"))

    assert igv.get("genome") == "hg38"
    chrom, start, end = re.fullmatch(r"(.+):(\d+)-(\d+)", igv.get("locus")).groups()
    with pybigtools.open(str(sorted((hub / "hg38").glob("*.bb"))[0])) as file:
        first = min(record[:2] for record in file.records(chrom))
    assert 1 <= int(start) <= first[0] + 1 <= first[1] <= int(end)
    assert {found.get("path") for found in igv.iter("Resource")} == tracks
    assert {found.get("id") for found in igv.iter("Track")} == tracks
    assert {track["url"] for track in washu} == tracks
    assert {track["type"] for track in washu} == {"bigbed"}


def test_samples_without_a_hit_have_no_track_and_no_hub_of_their_own(tmp_path, caplog):
    empty = SAMPLES[0]
    with open_catalog(small_run(tmp_path / "run", without=[empty])) as catalog:
        export_hub(catalog, tmp_path / "hub", SAMPLES, genome="hg38")

        with pytest.raises(UsageError, match="a hub cannot be empty"):
            export_hub(catalog, tmp_path / "none", [empty], genome="hg38")

    assert len(list((tmp_path / "hub").rglob("*.bb"))) == 1
    assert f"Sample {empty!r} has no hits and is left out" in caplog.text
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("genome", [None, "../hg38", "", "a b"])
def test_a_genome_that_names_no_folder_is_refused(catalog, tmp_path, genome):
    with pytest.raises(UsageError, match="--genome hg38"):
        export_hub(catalog, tmp_path / "hub", catalog.samples, genome=genome)

    assert not (tmp_path / "hub").exists()


def test_the_function_writes_the_hub_of_the_samples_that_are_asked_for(tmp_path):
    run = small_run(tmp_path / "run")

    finemo_dist.export(run, "hub", tmp_path / "hub", sample=SAMPLES[0], genome="hg38")

    (top,) = stanzas(tmp_path / "hub" / "hub.txt")
    assert (tmp_path / "hub" / top["genomesFile"]).read_text().startswith("genome hg38\n")
    (file,) = (tmp_path / "hub").rglob("*.bb")
    with open_catalog(run, samples=[SAMPLES[0]]) as catalog:
        # Those that lie before a chromosome have no place in a browser.
        ((n_hits,),) = catalog.rows('SELECT count(*) FROM hits_unique WHERE "end" > 0')
    with pybigtools.open(str(file)) as bigbed:
        assert sum(len(list(bigbed.records(chrom))) for chrom in bigbed.chroms()) == n_hits
