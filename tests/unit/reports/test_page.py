"""Pages as text: self-contained, escaped, true to their data, and readable without scripts."""

import base64
import hashlib
import json
import re
import zlib
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from finemo_dist.hits.matches import StoredMatch
from finemo_dist.reports.methods import methods
from finemo_dist.reports.multiqc import multiqc_files
from finemo_dist.reports.page import render_atlas, render_report
from finemo_dist.reports.page_model import InputFile
from finemo_dist.reports.provenance import parameters_of
from tests.unit.reports.page_data import (
    HOSTILE,
    PARAMETERS,
    atlas_data,
    provenance,
    report_data,
    sample,
    summary,
)

NAMES = (HOSTILE, '"><img src=x onerror=alert(1)>', "../../etc/passwd")


class Elements(HTMLParser):
    """Every element with its attributes, and the text of scripts."""

    def __init__(self, page):
        super().__init__()
        self.found, self.texts, self._open = [], [], None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self._open = tag

    def handle_data(self, data):
        self.texts.append((self._open, data))

    def handle_endtag(self, tag):
        self._open = None

    def scripts(self):
        kinds = [a.get("type") for t, a in self.found if t == "script"]
        texts = [text for tag, text in self.texts if tag == "script"]
        assert len(kinds) == len(texts)
        return list(zip(kinds, texts, strict=True))


@pytest.fixture(scope="module")
def report():
    return render_report(report_data())


@pytest.fixture(scope="module")
def hostile_report():
    data = report_data(NAMES, title=HOSTILE)
    odd = provenance(
        inputs=(InputFile(HOSTILE, 1, HOSTILE),), parameters=PARAMETERS | {HOSTILE: HOSTILE}
    )
    return render_report(replace(data, provenance=odd, annotations={NAMES[0]: NAMES[1]}))


@pytest.fixture(scope="module")
def pages(report, hostile_report):
    names = [*NAMES, *(f"s{i}" for i in range(5))]
    atlas = render_atlas(atlas_data(motif_names=NAMES, sample_names=names))
    return {"report": report, "hostile": hostile_report, "atlas": atlas}


@pytest.mark.parametrize("page", ["report", "hostile", "atlas"])
def test_a_page_links_to_nothing_outside_itself(pages, page):
    for tag, attributes in Elements(pages[page]).found:
        assert tag not in {"link", "iframe", "base", "object", "embed"}
        for name in ("src", "href", "action", "srcset", "poster"):
            assert re.match(r"#|data:image/png;base64,", attributes.get(name) or "#"), attributes


@pytest.mark.parametrize("page", ["report", "hostile", "atlas"])
def test_the_policy_allows_the_scripts_of_the_page_and_no_other(pages, page):
    elements = Elements(pages[page])
    policy = next(a["content"] for t, a in elements.found if t == "meta" and "http-equiv" in a)
    programs = [text for kind, text in elements.scripts() if kind is None]
    (packed,) = [text for kind, text in elements.scripts() if kind == "text/plain"]
    charts = zlib.decompress(base64.b64decode(packed)).decode()

    allowed = re.findall(r"'sha256-([^']+)'", policy)
    digests = [
        base64.b64encode(hashlib.sha256(p.encode()).digest()).decode() for p in (*programs, charts)
    ]
    assert set(digests) == set(allowed)
    assert len(programs) == 3
    assert len(allowed) == 4
    assert "vegaEmbed" in charts
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy


@pytest.mark.parametrize("page", ["hostile", "atlas"])
def test_hostile_names_are_text(pages, page):
    elements = Elements(pages[page])

    assert not [a for _, a in elements.found if any(name.startswith("on") for name in a)]
    assert not [tag for tag, _ in elements.found if tag == "img"]
    assert len(elements.scripts()) == 5
    assert HOSTILE not in pages[page]


@pytest.mark.parametrize("page", ["report", "hostile", "atlas"])
def test_the_data_of_a_page_are_json(pages, page):
    (text,) = (t for kind, t in Elements(pages[page]).scripts() if kind == "application/json")

    data = json.loads(text)

    assert "charts" in data
    if page == "hostile":
        assert data["matrices"]["confusion"]["rows"] == list(NAMES)


def test_the_same_data_give_the_same_page(report):
    assert render_report(report_data()) == report


def test_tables_and_logos_are_there_without_scripts(report):
    elements = Elements(report)
    without = re.sub(r"<script.*?</script>", "", report, flags=re.DOTALL)

    symbols = {a["id"] for t, a in elements.found if t == "symbol"}
    used = {a["href"][1:] for t, a in elements.found if t == "use"}
    assert used == symbols
    assert len(symbols) == 12
    for text in ("alpha", "a known factor", "75%", "0.950", "Kim SJ", "cafe", "9.8.7"):
        assert text in without


def test_an_atlas_draws_the_logos_that_it_shows_and_no_others():
    data = atlas_data(3, 2)
    first, second, _ = data.motifs.name[::2]
    over_hits = dict.fromkeys((first, second), data.motifs.cwm[0])
    match = StoredMatch(
        first, "MA1.1", "a factor", 0.001, 0.01, "+", 0, 4, "db.meme", np.ones((4, 5), np.float32)
    )

    elements = Elements(render_atlas(replace(data, hit_cwms=over_hits, matches={first: [match]})))

    symbols = [a["id"] for t, a in elements.found if t == "symbol"]
    assert sorted(symbols) == ["l0hf", "l0hr", "l0mf", "l1hf", "l1hr", "l2mf", "l2mr"]
    assert {a["href"][1:] for t, a in elements.found if t == "use"} == set(symbols)


def test_everything_drawn_has_a_text_for_those_who_cannot_see_it(report):
    drawn = [a for _, a in Elements(report).found if a.get("role") == "img"]

    assert len(drawn) > 20
    assert all(a.get("aria-label") for a in drawn)


def test_a_run_without_anything_still_has_a_page():
    data = report_data()
    bare = replace(
        data, summary=summary(n_hits=0), distributions=None, counts=None, confusion=None,
        cooccurrence=None, spacing=None, examples=(), funnel=(), hit_cwms={}, samples=(),
        motif_report=data.motif_report.select(["motif_name", "num_hits_total"]),
    )  # fmt: skip

    page = render_report(bare)

    assert "Do not use this run yet" in page
    assert 'id="seqlets"' not in page


@pytest.mark.slow
def test_a_page_of_24_motifs_and_an_atlas_of_100000_cells_stay_light():
    page = render_report(report_data([f"pos_patterns.pattern_{i}" for i in range(24)]))
    atlas = render_atlas(atlas_data(500, 200))

    assert len(page.encode()) < 3e6
    assert len(atlas.encode()) < 15e6


def test_methods_say_what_the_parameters_say():
    text = methods(summary(n_hits=1, n_unique=1), provenance()).paragraph

    assert "1,000 regions of 1 sample with finemo_dist 9.8.7" in text
    assert "lambda = 0.7" in text
    assert "projected CWMs and projected contribution scores" in text
    assert "below lambda were discarded" in text
    assert "was within 1e-06 in every region, at most 3e-16" in text
    assert "This gave 1 hit at 1 distinct site." in text
    assert "square roots" not in text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"post filter": "no"}, "kept regardless of their similarity"),
        ({"square root": "yes"}, "signed square roots"),
        ({"mode": "hp"}, "hypothetical CWMs and projected"),
        ({"solver": "dense"}, "accelerated proximal gradient"),
        ({"lambdas of motifs": "a 0.5"}, "their own weights"),
    ],
)
def test_methods_change_with_the_parameters(changes, says):
    found = methods(summary(), provenance(parameters=PARAMETERS | changes))

    assert says in found.paragraph


def test_every_reference_is_cited_by_its_number():
    found = methods(summary(), provenance())

    groups = re.findall(r"\[([\d,]+)\]", found.paragraph)
    cited = {int(number) for group in groups for number in group.split(",")}
    assert cited == set(range(1, len(found.references) + 1))


def test_methods_of_a_finemo_directory_do_not_claim_our_solver():
    found = methods(summary(), provenance(caller="finemo"))

    assert "finemo_dist" not in found.paragraph
    assert "duality gap" not in found.paragraph


def test_parameters_are_named_as_users_know_them():
    config = {
        "motifs": {"penalty": 0.7, "penalties": {"a": 0.5}, "include": ["a"]},
        "solver": {"mode": "pp", "use_post_filter": True},
    }

    assert parameters_of(config) == {
        "mode": "pp",
        "lambda": "0.7",
        "lambdas of motifs": "a 0.5",
        "motifs called": "1 from the motif file",
        "post filter": "yes",
    }


def test_multiqc_files_hold_every_sample_under_its_name():
    files = multiqc_files([sample(HOSTILE), sample("b", n_hits=500, median_nll=None)])

    general = json.loads(files["finemo_dist_general_mqc.yaml"])
    table = json.loads(files["finemo_dist_samples_mqc.yaml"])
    assert general["data"][HOSTILE] == {"hits_per_region": 4.0, "without_hit": 2.0}
    assert table["data"]["b"]["hits"] == 500
    assert "misfit" not in table["data"]["b"]


def test_pairs_and_example_regions_have_the_names_that_people_read():
    data = report_data(("alpha", "beta"))
    (region,) = data.examples
    hits = tuple(replace(hit, label="REB1") for hit in region.hits)
    named = replace(
        data,
        display={"alpha": "REB1", "beta": "ABF1"},
        examples=(replace(region, hits=hits),),
    )

    page = render_report(named)

    pairs = page[page.index('<section id="pairs">') : page.index('<section id="regions">')]
    assert ">REB1</th>" in pairs
    assert ">ABF1</td>" in pairs
    assert "REB1 and ABF1 (4 pairs of sites)" in pairs
    assert not re.search("alpha|beta", re.sub(r"<svg.*?</svg>", "", pairs, flags=re.DOTALL))
    examples = page[page.index('<section id="regions">') :]
    assert ">REB1 +</text>" in examples
    assert ">alpha +</text>" not in examples


def test_an_atlas_has_a_map_by_cluster_where_motifs_share_one():
    data = atlas_data(4, 3)
    clusters = {"motif_0": "c", "motif_2": "c", "motif_3": "alone"}

    page = render_atlas(replace(data, clusters=clusters))

    start = page.index(">", page.index('id="data"')) + 1
    payload = json.loads(page[start : page.index("</script>", start)])
    assert set(payload["matrices"]) == {"atlas", "atlas-clusters"}
    found = payload["matrices"]["atlas-clusters"]
    assert sorted(found["rows"]) == ["c (2 motifs)", "motif_1", "motif_3"]
    values = np.frombuffer(base64.b64decode(found["values"]), "<f4").reshape(3, 3)
    own = values[found["rows"].index("c (2 motifs)")]
    columns = [[s.name for s in data.samples].index(name) for name in found["columns"]]
    assert own == pytest.approx((data.rates[0] + data.rates[2])[columns])
    assert "Clusters by samples" in page
    assert "atlas-clusters" not in render_atlas(replace(data, clusters={"motif_0": "c"}))
