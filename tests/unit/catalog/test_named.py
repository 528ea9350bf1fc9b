"""Named queries against loops over all hits."""

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.named import ask, find_query, named_queries, rows_of
from finemo_dist.core.errors import UsageError
from tests.unit.catalog.builder import hit, write_run

MOTIFS = ("m0", "m1", "m2")
REGIONS = range(4)
QUERIES = [query.name for query in named_queries()]
FEW = settings(max_examples=15)


def site(peak_id, start, motif_id, *, has_coordinates=True):
    """A hit of a region; regions 0 and 1 lie on one chromosome and overlap, as do 2 and 3."""
    width = (5, 6, 7)[motif_id // 2]
    return hit(
        chr=f"chr{peak_id // 2}" if has_coordinates else None,
        chr_id=peak_id // 2 if has_coordinates else -1,
        start=start,
        end=start + width,
        start_untrimmed=start - 2,
        end_untrimmed=start + width + 2,
        peak_id=peak_id,
        motif_id=motif_id,
        motif_name=MOTIFS[motif_id // 2],
        strand="+-"[motif_id % 2],
    )


@pytest.fixture(scope="module", autouse=True)
def _unflushed():
    """Hundreds of runs are written here, and none has to survive a power cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("finemo_dist.core.files._flush", lambda path: None)
        yield


@st.composite
def hits_of_samples(draw, *, has_coordinates=True):
    """Two samples of two shards of two regions, with up to ten hits a shard."""
    shards = {}
    for sample in ("a", "b"):
        shards[sample] = []
        for shard in range(2):
            places = st.tuples(
                st.integers(2 * shard, 2 * shard + 1), st.integers(-3, 30), st.integers(0, 5)
            )
            drawn = draw(st.lists(places, max_size=10, unique=True))
            shards[sample].append(
                [site(*place, has_coordinates=has_coordinates) for place in drawn]
            )
    return shards


def answered(tmp_path_factory, shards, name, has_coordinates=True, **parameters):
    run = tmp_path_factory.mktemp("run")
    write_run(run, shards, has_coordinates=has_coordinates)
    with open_catalog(run) as catalog:
        return rows_of(catalog, name, parameters)


def rows(shards, sample=None):
    for name, parts in shards.items():
        if sample in (None, name):
            yield from ((name, row) for part in parts for row in part)


@FEW
@given(shards=hits_of_samples(), sample=st.sampled_from([None, "b"]))
def test_cooccurrence_is_that_of_a_loop_over_regions(tmp_path_factory, shards, sample):
    answer = answered(tmp_path_factory, shards, "cooccurrence", sample=sample)

    names = [sample] if sample else ["a", "b"]
    found = {(name, region): set() for name in names for region in REGIONS}
    for name, row in rows(shards, sample):
        found[name, row["peak_id"]].add(row["motif_name"])
    assert {(r["motif_1"], r["motif_2"]) for r in answer} == set(combinations(MOTIFS, 2))
    for row in answer:
        one, two = row["motif_1"], row["motif_2"]
        n = Counter((one in present, two in present) for present in found.values())
        counted = [row[k] for k in ("n_both", "n_first", "n_second", "n_neither")]
        assert counted == [n[True, True], n[True, False], n[False, True], n[False, False]]
        both, first, second, neither = (k + 0.5 for k in counted)
        assert row["odds_ratio"] == pytest.approx(both * neither / (first * second))
        expected = (counted[0] + counted[1]) * (counted[0] + counted[2]) / len(found)
        assert row["expected"] == pytest.approx(expected)
    assert [r["odds_ratio"] for r in answer] == sorted((r["odds_ratio"] for r in answer))[::-1]


def spacing_by_loop(shards, sample, motif, other, max_distance):
    """Count (motif_1, motif_2, orientation, distance, gap) over pairs of different sites."""
    sites = {
        (name, r["chr"] or r["peak_id"], r["start"], r["end"], r["motif_name"], r["strand"])
        for name, r in rows(shards, sample)
    }
    lead = motif or other
    counts = Counter()
    for one, two in combinations(sorted(sites), 2):
        if one[:2] != two[:2]:
            continue
        # The one asked for leads, then the earlier motif, then of one motif the forward one.
        one, two = sorted((one, two), key=lambda s: (s[4] != lead, s[4], s[5] == "-", s[2]))
        if lead not in (None, one[4]) or (motif and other not in (None, two[4])):
            continue
        distance = (two[2] + two[3] - one[2] - one[3]) / 2 * (1 if one[5] == "+" else -1)
        is_same = one[5] == two[5]
        if one[4] == two[4] and is_same:
            distance = abs(distance)
        if abs(distance) <= max_distance:
            gap = max(one[2], two[2]) - min(one[3], two[3])
            orientation = "same" if is_same else "opposite"
            counts[one[4], two[4], orientation, distance, gap] += 1
    return counts


@settings(max_examples=30)
@given(
    shards=hits_of_samples(),
    sample=st.sampled_from([None, "a"]),
    motif=st.sampled_from([None, *MOTIFS]),
    other=st.sampled_from([None, *MOTIFS]),
    max_distance=st.integers(1, 20),
)
def test_spacing_is_that_of_a_loop_over_pairs(
    tmp_path_factory, shards, sample, motif, other, max_distance
):
    asked = {"sample": sample, "motif": motif, "other": other, "max_distance": max_distance}

    answer = answered(tmp_path_factory, shards, "spacing", **asked)

    expected = spacing_by_loop(shards, sample, motif, other, max_distance)
    keys = ("motif_1", "motif_2", "orientation", "distance", "gap")
    assert {tuple(r[k] for k in keys): r["n"] for r in answer} == expected
    assert len(answer) == len(expected)


@FEW
@given(shards=hits_of_samples(has_coordinates=False))
def test_without_coordinates_no_pair_reaches_beyond_its_region(tmp_path_factory, shards):
    answer = answered(tmp_path_factory, shards, "spacing", has_coordinates=False)

    expected = spacing_by_loop(shards, None, None, None, 150)
    assert sum(r["n"] for r in answer) == sum(expected.values())


@pytest.mark.parametrize(
    ("strands", "expected"),
    [
        ("++", ("same", 10)),
        ("--", ("same", 10)),
        ("+-", ("opposite", 10)),
        ("-+", ("opposite", -10)),
    ],
)
def test_two_sites_of_one_motif_stand_in_three_ways(tmp_path_factory, strands, expected):
    """In tandem, head to head, tail to tail."""
    left, right = ("+-".index(strand) for strand in strands)
    shards = {"a": [[site(0, 5, left), site(0, 15, right)]]}

    (row,) = answered(tmp_path_factory, shards, "spacing")

    assert (row["orientation"], row["distance"], row["n"]) == (*expected, 1)


@pytest.mark.parametrize("name", QUERIES)
def test_the_columns_of_an_answer_are_those_its_file_documents(run, tmp_path, name):
    (tmp_path / "x.bed").write_text("chr0\t1\t50\n")
    given_values = {"file": tmp_path / "x.bed", "motif": "m0", "at": "chr0:1-50"}
    query = find_query(name)
    required = {
        p.name: str(given_values[p.name]) for p in query.parameters if p.default == "required"
    }

    with open_catalog(run) as catalog:
        answer = ask(catalog, name, required)
        n_rows = len(list(answer.rows()))

    assert answer.columns == tuple(query.columns)
    assert n_rows > 0
    assert query.contract


@pytest.mark.parametrize("name", QUERIES)
def test_an_answer_is_the_same_on_any_number_of_threads(run, tmp_path, name):
    (tmp_path / "x.bed").write_text("chr0\t1\t50\nchr1\t3\t4\n")
    given_values = {"file": tmp_path / "x.bed", "motif": "m0", "at": "chr0:1-50"}
    query = find_query(name)
    required = {
        p.name: str(given_values[p.name]) for p in query.parameters if p.default == "required"
    }
    answers = []
    for threads in (1, 4):
        with open_catalog(run, threads=threads) as catalog:
            answers.append(rows_of(catalog, name, required))

    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("cooccurence", {}, "Did you mean 'cooccurrence'"),
        ("spacing", {"motive": "m0"}, "Did you mean 'motif'"),
        ("spacing", {"motif": "m00"}, "Did you mean 'm0'"),
        ("spacing", {"sample": "livr"}, "Did you mean 'liver'"),
        ("spacing", {"max_distance": "0"}, "expected integer 1 to"),
        ("spacing", {"max_distance": "1.5"}, "expected integer 1 to"),
        ("overlap", {}, "needs file"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(run, name, parameters, message):
    with open_catalog(run) as catalog, pytest.raises(UsageError, match=message):
        ask(catalog, name, parameters)
