"""Named queries against loops over all hits."""

import gzip
from collections import Counter
from fractions import Fraction
from functools import partial
from itertools import combinations

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finemo_dist.catalog.catalog import open_catalog
from finemo_dist.catalog.connection import load_query
from finemo_dist.catalog.intervals import read_intervals
from finemo_dist.catalog.named import ask, find_query, named_queries, rows_of
from finemo_dist.core.errors import InputError, UsageError
from finemo_dist.core.records import MotifAnnotation
from finemo_dist.core.similarity import families
from finemo_dist.hits.annotation import write_annotation
from finemo_dist.hits.motifs import write_motifs
from tests.unit.catalog.builder import (
    done,
    hit,
    motif_set,
    region,
    write_log,
    write_record,
    write_shard,
)
from tests.unit.catalog.one_catalog import OneCatalog

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
        patch.setattr("finemo_dist.storage.files.flush", lambda path: None)
        yield


@st.composite
def hits_of_samples(draw, *, has_coordinates=True):
    """Two samples of two shards of two regions, with up to ten hits a shard; some are of both."""
    shards, of_a = {}, {}
    for sample in ("a", "b"):
        shards[sample] = []
        for shard in range(2):
            places = st.tuples(
                st.integers(2 * shard, 2 * shard + 1), st.integers(-3, 30), st.integers(0, 5)
            )
            drawn = draw(st.lists(places, max_size=10, unique=True))
            if of_a.setdefault(shard, drawn) is not drawn:
                shared = of_a[shard][: draw(st.integers(0, 5))]
                drawn = [*shared, *(place for place in drawn if place not in shared)][:10]
            shards[sample].append(
                [site(*place, has_coordinates=has_coordinates) for place in drawn]
            )
    return shards


def write_sites(run, shards, *, has_coordinates=True):
    """As ``write_run``, with regions on the chromosomes of their hits."""
    n_shards = {sample: len(parts) for sample, parts in shards.items()}
    write_record(run, n_shards, has_coordinates=has_coordinates)
    write_motifs(run, motif_set())
    for sample, parts in shards.items():
        for shard, hits in enumerate(parts):
            regions = [
                region(
                    peak_id=i,
                    chr=f"chr{shard}" if has_coordinates else None,
                    chr_id=shard if has_coordinates else -1,
                    peak_region_start=50 * shard + i % 2 if has_coordinates else 0,
                    n_hits=sum(row["peak_id"] == i for row in hits),
                )
                for i in (2 * shard, 2 * shard + 1)
            ]
            write_shard(run, sample, shard, hits, regions)
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    rng = np.random.default_rng(5)

    def draw(shard):
        places = {(2 * shard + i % 2, int(s), int(m)) for i, (s, m) in enumerate(drawn(rng))}
        return [site(*place) for place in sorted(places)]

    shards = {name: [draw(shard) for shard in range(2)] for name in ("liver", "heart")}
    run = write_sites(tmp_path_factory.mktemp("run"), shards)
    write_log(run, [done("liver", shard) for shard in range(2)])
    return run


def drawn(rng):
    return zip(rng.integers(0, 60, 80), rng.integers(0, 6, 80), strict=True)


@pytest.fixture(scope="module")
def one_catalog(tmp_path_factory):
    with OneCatalog(tmp_path_factory.mktemp("runs") / "run") as shown:
        yield shown


@pytest.fixture(scope="module")
def answered(one_catalog):
    """Ask a named query of a run of some hits."""

    def answered(shards, name, *, has_coordinates=True, **parameters):
        write = partial(write_sites, shards=shards, has_coordinates=has_coordinates)
        return rows_of(one_catalog.show(write), name, parameters)

    return answered


def rows(shards, sample=None):
    for name, parts in shards.items():
        if sample in (None, name):
            yield from ((name, row) for part in parts for row in part)


@pytest.mark.slow
@FEW
@given(shards=hits_of_samples(), sample=st.sampled_from([None, "b"]))
def test_cooccurrence_is_that_of_a_loop_over_regions(answered, shards, sample):
    answer = answered(shards, "cooccurrence", sample=sample)

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
    assert [r["odds_ratio"] for r in answer] == sorted(r["odds_ratio"] for r in answer)[::-1]


def spacing_by_loop(
    shards, sample, motif, other, max_distance, *, overlaps="yes", orientation="strand"
):
    """Count (motif_1, motif_2, orientation, distance, gap) over pairs of different sites."""
    is_facing = orientation == "facing"
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
            if gap < 0 and overlaps == "no":
                continue
            way = "same" if is_same else "opposite"
            if not is_same and is_facing and distance:
                left = min(one, two, key=lambda s: s[2] + s[3])
                way = "convergent" if left[5] == "+" else "divergent"
            counts[one[4], two[4], way, distance, gap] += 1
    return counts


@pytest.mark.slow
@settings(max_examples=30)
@given(
    shards=hits_of_samples(),
    sample=st.sampled_from([None, "a"]),
    motif=st.sampled_from([None, *MOTIFS]),
    other=st.sampled_from([None, *MOTIFS]),
    max_distance=st.integers(1, 20),
    overlaps=st.sampled_from(["yes", "no"]),
    orientation=st.sampled_from(["strand", "facing"]),
)
def test_spacing_is_that_of_a_loop_over_pairs(
    answered, shards, sample, motif, other, max_distance, overlaps, orientation
):
    asked = {"sample": sample, "motif": motif, "other": other, "max_distance": max_distance}
    kinds = {"overlaps": overlaps, "orientation": orientation}

    answer = answered(shards, "spacing", **asked, **kinds)

    expected = spacing_by_loop(shards, sample, motif, other, max_distance, **kinds)
    keys = ("motif_1", "motif_2", "orientation", "distance", "gap")
    assert {tuple(r[k] for k in keys): r["n"] for r in answer} == expected
    assert len(answer) == len(expected)


@pytest.mark.slow
@FEW
@given(shards=hits_of_samples(has_coordinates=False))
def test_without_coordinates_no_pair_reaches_beyond_its_region(answered, shards):
    answer = answered(shards, "spacing", has_coordinates=False)

    expected = spacing_by_loop(shards, None, None, None, 150)
    assert sum(r["n"] for r in answer) == sum(expected.values())


def test_answers_with_motifs_have_the_names_that_people_read(tmp_path):
    rng = np.random.default_rng(5)
    shards = {
        "a": [[site(*place) for place in sorted({(0, int(s), int(m)) for s, m in drawn(rng)})]]
    }
    run = write_sites(tmp_path / "run", shards)
    write_annotation(run, [MotifAnnotation("m0", "REB1"), MotifAnnotation("m1", "ABF1")])
    (tmp_path / "x.bed").write_text("chr0\t0\t60\n")
    shown = {"m0": "REB1", "m1": "ABF1", "m2": "m2"}
    given = {"sample": "a", "peak_id": 0, "motif": "m0", "file": tmp_path / "x.bed"}
    asked = 0
    with open_catalog(run) as catalog:
        for query in named_queries():
            named = {"motif_name": "display_name", "motif_1": "display_1", "motif_2": "display_2"}
            own = {name: named[name] for name in named if name in query.columns}
            if not own:
                continue
            asked += 1
            needed = {p.name: given[p.name] for p in query.parameters if p.default == "required"}
            answer = rows_of(catalog, query.name, needed)
            assert answer, query.name
            for row in answer:
                assert all(row[display] == shown[row[name]] for name, display in own.items())
    assert asked == 10


def test_the_largest_family_comes_first():
    columns = {
        "motif_order": [0, 1, 2],
        "motif_name": ["m0", "m1", "m2"],
        "family": [0, 1, 1],
        "n_motifs": [1, 2, 2],
        "similar_to": [None, "m2", "m1"],
        "similarity": [None, 0.9, 0.9],
    }
    with duckdb.connect() as connection:
        connection.execute(load_query("make_motif_families"), columns)
        connection.execute(
            "CREATE TABLE motifs AS SELECT name AS motif_name, name AS display_name "
            "FROM unnest(['m0', 'm1', 'm2']) AS names(name)"
        )
        found = connection.execute(load_query("named/families")).fetchall()

    assert [row[2] for row in found] == ["m1", "m2", "m0"]


@pytest.mark.parametrize("names", [MOTIFS, MOTIFS[:1]])
def test_families_name_the_motif_that_resembles_each_most(tmp_path, names):
    motifs = motif_set(names)
    write_record(tmp_path, {"a": 1})
    write_motifs(tmp_path, motifs)

    with open_catalog(tmp_path) as catalog:
        answer = rows_of(catalog, "families")

    nearest = dict.fromkeys(names, (None, None))
    if len(names) > 1:
        nearest = {
            name: (family.similar_to, pytest.approx(family.similarity))
            for name, family in zip(names, families(motifs), strict=True)
        }
    assert {r["motif_name"]: (r["similar_to"], r["similarity"]) for r in answer} == nearest


@pytest.mark.parametrize("n_pairs", [1, 2, 9])
def test_spacing_can_be_asked_of_the_pairs_found_most(catalog, n_pairs):
    everything = rows_of(catalog, "spacing")
    answer = rows_of(catalog, "spacing", {"pairs": n_pairs})

    totals = Counter()
    for row in everything:
        totals[row["motif_1"], row["motif_2"]] += row["n"]
    most = sorted(totals, key=lambda pair: (-totals[pair], pair))[:n_pairs]
    assert answer == [row for row in everything if (row["motif_1"], row["motif_2"]) in most]
    assert len(totals) == 6


@pytest.mark.parametrize(
    ("strands", "expected"),
    [
        ("++", ("same", 10)),
        ("--", ("same", 10)),
        ("+-", ("opposite", 10)),
        ("-+", ("opposite", -10)),
    ],
)
def test_two_sites_of_one_motif_stand_in_three_ways(answered, strands, expected):
    """In tandem, head to head, tail to tail."""
    left, right = ("+-".index(strand) for strand in strands)
    shards = {"a": [[site(0, 5, left), site(0, 15, right)]]}

    (row,) = answered(shards, "spacing")

    assert (row["orientation"], row["distance"], row["n"]) == (*expected, 1)


@pytest.mark.slow
@FEW
@given(
    shards=hits_of_samples(),
    sample=st.sampled_from([None, "b"]),
    motif=st.sampled_from([None, MOTIFS[1]]),
)
def test_counts_are_those_of_a_loop(answered, shards, sample, motif):
    answer = answered(shards, "counts", sample=sample, motif=motif)

    found = list(rows(shards, sample))
    n_hits = Counter((name, row["motif_name"]) for name, row in found)
    regions = Counter(
        key[:2] for key in {(name, r["motif_name"], r["peak_id"]) for name, r in found}
    )
    names = [sample] if sample else ["a", "b"]
    assert [(r["sample"], r["motif_name"]) for r in answer] == [
        (s, m) for s in names for m in MOTIFS if motif in (None, m)
    ]
    for row in answer:
        key = row["sample"], row["motif_name"]
        assert (row["n_hits"], row["n_regions"]) == (n_hits[key], regions[key])
        assert row["hits_per_region"] == pytest.approx(n_hits[key] / len(REGIONS))
        assert row["hits_per_megabase"] == pytest.approx(1e6 * n_hits[key] / len(REGIONS) / 100)


@pytest.mark.slow
@settings(max_examples=20)
@given(
    shards=hits_of_samples(),
    intervals=st.lists(
        st.tuples(st.sampled_from(["chr0", "chr1", "chr9"]), st.integers(0, 40), st.integers(0, 9)),
        max_size=6,
    ),
    is_vcf=st.booleans(),
    is_gzip=st.booleans(),
)
def test_overlap_is_that_of_a_loop(tmp_path_factory, answered, shards, intervals, is_vcf, is_gzip):
    intervals = [("chr0", 3, 4), *intervals]
    if is_vcf:
        intervals = [(chrom, start, max(1, width)) for chrom, start, width in intervals]
        lines = ["##fileformat=VCFv4.5", "#CHROM\tPOS\tID\tREF\tALT"]
        lines += [f"{c}\t{start + 1}\t.\t{'A' * width}\tG" for c, start, width in intervals]
    else:
        lines = ["track name=x", "# a comment"]
        lines += [f"{c}\t{start}\t{start + width}" for c, start, width in intervals]
    path = tmp_path_factory.mktemp("file") / "intervals"
    content = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(content) if is_gzip else content)

    answer = answered(shards, "overlap", file=path)

    sites = {
        (s, r["chr"], r["start"], r["end"], r["motif_name"], r["strand"]) for s, r in rows(shards)
    }
    # In the order of the answer: "+" sorts before "-", as the ids of motif-strands do.
    expected = sorted(
        (*site, line)
        for site in sites
        for line, (chrom, start, width) in enumerate(intervals, start=3)
        if site[1] == chrom
        and len(range(max(site[2], start), min(site[3], start + width))) > 0
        and site[3] > 0
    )
    keys = ("sample", "chr", "start", "end", "motif_name", "strand", "line")
    assert [tuple(r[k] for k in keys) for r in answer] == expected


def test_an_interval_over_many_bins_meets_a_hit_once(answered, tmp_path):
    shards = {"a": [[site(0, 8190, 0), site(0, 4095, 2)]]}
    (tmp_path / "x.bed").write_text("chr0\t0\t1000000\tall of it\n")

    answer = answered(shards, "overlap", file=tmp_path / "x.bed")

    assert [(r["start"], r["interval_name"]) for r in answer] == [
        (4095, "all of it"), (8190, "all of it"),
    ]  # fmt: skip


def test_hits_of_one_site_overlap_in_the_order_of_motifs(tmp_path):
    run = write_sites(tmp_path / "run", {"a": [[site(0, 10, motif) for motif in (3, 0, 5, 2)]]})
    with open_catalog(run) as catalog:
        file = tmp_path / "v.bed"
        file.write_text("chr0\t0\t90\nchr0\t0\t90\n")
        answer = rows_of(catalog, "overlap", {"file": file})

    ids = [2 * MOTIFS.index(r["motif_name"]) + (r["strand"] == "-") for r in answer]
    assert [(i, r["line"]) for i, r in zip(ids, answer, strict=True)] == [
        (motif, line) for motif in (0, 2, 3, 5) for line in (1, 2)
    ]


def test_the_offset_of_a_variant_is_read_along_the_motif(answered, tmp_path):
    shards = {"a": [[site(0, 10, 0), site(0, 10, 1)]]}
    (tmp_path / "x.vcf").write_text("##fileformat=VCFv4.2\nchr0\t12\trs1\tA\tG\n")

    answer = answered(shards, "overlap", file=tmp_path / "x.vcf")

    assert {r["strand"]: r["offset"] for r in answer} == {"+": 1, "-": 3}
    assert {r["interval_name"] for r in answer} == {"chr0:12:A:G"}


def test_a_symbolic_deletion_reaches_to_its_end(tmp_path):
    (tmp_path / "x.vcf").write_text(
        "##fileformat=VCFv4.2\nchr0\t12\t.\tA\t<DEL>\t.\t.\tSVTYPE=DEL;END=20\n"
        "chr0\t12\t.\tA\tG\t.\t.\tEND=20\n"
    )

    found = list(read_intervals(tmp_path / "x.vcf"))

    assert [(i.start, i.end) for i in found] == [(11, 20), (11, 12)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("chr0\t5\n", "line 1: found 'chr0.t5'"),
        ("chr0\t1\t2\nchr0\tx\t2\n", "line 2"),
        ("chr0\t9\t2\n", "line 1"),
        ("##fileformat=VCFv4.2\nchr0\t9\n", "line 2.*CHROM, POS"),
        ("##fileformat=VCFv4.2\nchr0\t-1\tx\tA\tC\n", "line 2.*CHROM, POS"),
        ("##fileformat=VCFv4.2\nchr0\t9\tx\t\tC\n", "line 2.*CHROM, POS"),
        ("# nothing\n", "holds no interval"),
        ("", "holds no interval"),
        ("0\t1\t2\n", "Did you mean 'chr0'"),
    ],
)
def test_a_file_of_intervals_that_is_none_is_refused(catalog, tmp_path, content, message):
    (tmp_path / "x").write_text(content)

    with pytest.raises(InputError, match=message):
        ask(catalog, "overlap", {"file": tmp_path / "x"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x1f\x8bnot gzip at all", "damaged gzip file"),
        (b"\xff\xfe\t1\t2\n", "is UTF-16 text, expected text, plain or gzipped"),
        (None, "no such file"),
    ],
)
def test_a_file_of_intervals_that_cannot_be_read_is_refused(catalog, tmp_path, content, message):
    if content is not None:
        (tmp_path / "x").write_bytes(content)

    with pytest.raises(InputError, match=message):
        ask(catalog, "overlap", {"file": tmp_path / "x"})


@pytest.mark.slow
@FEW
@given(shards=hits_of_samples(), motif=st.sampled_from([None, "m1"]))
def test_empty_regions_top_regions_and_hits_per_region_agree_with_a_loop(
    one_catalog, shards, motif
):
    for parts in shards.values():
        for i, row in enumerate(row for part in parts for row in part):
            row["hit_coefficient_global"] = 1.0 + i
    catalog = one_catalog.show(partial(write_sites, shards=shards))
    empty = rows_of(catalog, "empty_regions", {"motif": motif})
    top = rows_of(catalog, "top_regions", {"motif": motif or "m0", "limit": 3})
    strongest = rows_of(catalog, "strongest_regions", {"limit": 2})

    largest = Counter()
    for name, row in rows(shards):
        key = row["motif_name"], name, row["peak_id"]
        largest[key] = max(largest[key], row["hit_coefficient_global"])
    ranked = sorted(largest.items(), key=lambda item: (item[0][0], -item[1], *item[0][1:]))
    kept = [
        (*key, size)
        for i, (key, size) in enumerate(ranked)
        if i < 2 or ranked[i - 2][0][0] != key[0]
    ]
    columns = ("motif_name", "sample", "peak_id", "coefficient")
    assert [tuple(row[name] for name in columns) for row in strongest] == kept
    sums = Counter()
    for name, row in rows(shards):
        if row["motif_name"] == (motif or "m0"):
            sums[name, row["peak_id"]] += row["hit_coefficient_global"]
    regions = [(name, region) for name in ("a", "b") for region in REGIONS]
    found = {(s, r["peak_id"]) for s, r in rows(shards) if motif in (None, r["motif_name"])}
    assert [(r["sample"], r["peak_id"]) for r in empty] == [r for r in regions if r not in found]
    best = sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:3]
    assert [((r["sample"], r["peak_id"]), r["coefficient"]) for r in top] == best


@pytest.mark.slow
@FEW
@given(shards=hits_of_samples(), width=st.integers(1, 7))
def test_positions_are_those_of_a_loop(answered, shards, width):
    answer = answered(shards, "positions", bin=width)

    expected = Counter()
    for _, row in rows(shards):
        # The regions of the builder begin at 50 * shard + i and are 100 bases wide.
        middle = 50 * (row["peak_id"] // 2) + row["peak_id"] % 2 + 50
        centre = Fraction(row["start"] + row["end"], 2) - middle
        expected[row["motif_name"], centre // width * width, row["strand"]] += 1
    for row in answer:
        key = row["motif_name"], row["position"]
        assert (row["n_forward"], row["n_reverse"]) == (expected[*key, "+"], expected[*key, "-"])
    assert sum(r["n_forward"] + r["n_reverse"] for r in answer) == expected.total()


@pytest.mark.slow
@FEW
@given(
    shards=hits_of_samples(),
    sample=st.sampled_from([None, "b"]),
    motif=st.sampled_from([None, "m1"]),
)
def test_hits_of_a_motif_per_region_are_those_of_a_loop(answered, shards, sample, motif):
    answer = answered(shards, "motif_hits_per_region", sample=sample, motif=motif)

    regions = Counter(
        (name, row["motif_name"], row["peak_id"])
        for name, row in rows(shards, sample)
        if motif in (None, row["motif_name"])
    )
    expected = Counter((name, motif, n) for (name, motif, _), n in regions.items())
    assert [tuple(r.values()) for r in answer] == [
        (name, motif, n, expected[name, motif, n], motif) for name, motif, n in sorted(expected)
    ]


@pytest.mark.slow
@FEW
@given(shards=hits_of_samples(), sample=st.sampled_from([None, "b"]))
def test_each_bin_of_a_distribution_counts_the_hits_in_it(answered, shards, sample):
    for i, row in enumerate(row for parts in shards.values() for part in parts for row in part):
        row["hit_coefficient"] = float(np.float32(0.1037 * 1.3 ** (i % 17)))
        row["hit_importance"] = float(np.float32(1.37 + i % 7))
        row["hit_similarity"] = float(np.float32(0.705 + 0.01 * (i % 29)))

    answer = answered(shards, "distributions", sample=sample)

    order = [(MOTIFS.index(r["motif_name"]), r["quantity"], r["bin_start"]) for r in answer]
    assert order == sorted(order)
    for name in MOTIFS:
        for quantity in ("coefficient", "importance", "similarity"):
            values = np.array(
                [r[f"hit_{quantity}"] for _, r in rows(shards, sample) if r["motif_name"] == name]
            )
            bins = [r for r in answer if (r["motif_name"], r["quantity"]) == (name, quantity)]
            assert sum(r["n_hits"] for r in bins) == len(values)
            for r in bins[:-1]:
                inside = (values >= r["bin_start"]) & (values < r["bin_end"])
                assert r["n_hits"] == np.count_nonzero(inside)
            assert len(bins) <= 50


@pytest.mark.slow
@FEW
@given(shards=hits_of_samples(), region=st.sampled_from(REGIONS))
def test_hits_of_a_region_are_its_own_by_place(answered, shards, region):
    answer = answered(shards, "region_hits", sample="a", peak_id=region)

    mine = [row for _, row in rows(shards, "a") if row["peak_id"] == region]
    mine.sort(key=lambda row: (row["start"], row["end"], row["motif_id"]))
    keys = ("chr", "start", "end", "strand", "motif_name", "hit_coefficient", "hit_similarity")
    assert [[r[k] for k in keys] for r in answer] == [[r[k] for k in keys] for r in mine]
    first = 50 * (region // 2) + region % 2
    assert [r["offset"] for r in answer] == [row["start"] - first for row in mine]


@pytest.mark.slow
@FEW
@given(shards=hits_of_samples(), motif=st.sampled_from([None, "m1"]))
def test_shared_sites_are_those_of_sets(answered, shards, motif):
    (row,) = answered(shards, "shared_sites", motif=motif)

    a, b = (
        {
            (r["chr"], r["start"], r["motif_name"], r["strand"])
            for _, r in rows(shards, name)
            if motif in (None, r["motif_name"])
        }
        for name in ("a", "b")
    )
    counted = [row[k] for k in ("n_both", "n_first", "n_second")]
    assert counted == [len(a & b), len(a - b), len(b - a)]
    assert row["jaccard"] == (pytest.approx(len(a & b) / len(a | b)) if a | b else None)


@pytest.mark.parametrize("name", QUERIES)
def test_the_columns_of_an_answer_are_those_its_file_documents(catalog, tmp_path, name):
    (tmp_path / "x.bed").write_text("chr0\t1\t50\n")
    given_values = {"file": tmp_path / "x.bed", "motif": "m0", "sample": "liver", "peak_id": 0}
    query = find_query(name)
    required = {
        p.name: str(given_values[p.name]) for p in query.parameters if p.default == "required"
    }

    answer = ask(catalog, name, required)
    n_rows = len(list(answer.rows()))

    assert answer.columns == tuple(query.columns)
    assert n_rows > 0 or name == "empty_regions"
    assert query.contract


@pytest.mark.parametrize("name", QUERIES)
def test_an_answer_is_the_same_on_any_number_of_threads(on_threads, tmp_path, name):
    (tmp_path / "x.bed").write_text("chr0\t1\t50\nchr1\t3\t4\n")
    given_values = {"file": tmp_path / "x.bed", "motif": "m0", "sample": "liver", "peak_id": 0}
    query = find_query(name)
    required = {
        p.name: str(given_values[p.name]) for p in query.parameters if p.default == "required"
    }
    one, four = (rows_of(catalog, name, required) for catalog in on_threads)

    assert one == four


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("cooccurence", {}, "Did you mean 'cooccurrence'"),
        ("spacing", {"motive": "m0"}, "Did you mean 'motif'"),
        ("spacing", {"motif": "m00"}, "Did you mean 'm0'"),
        ("spacing", {"sample": "livr"}, "Did you mean 'liver'"),
        ("spacing", {"max_distance": "0"}, "expected integer 1 to"),
        ("spacing", {"max_distance": "1.5"}, "expected integer 1 to"),
        ("spacing", {"overlaps": "maybe"}, "overlaps is 'maybe'; expected one of yes or no."),
        ("families", {"bin": 1}, "families has no parameter 'bin'. It takes no parameters."),
        ("overlap", {}, "needs file"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(catalog, name, parameters, message):
    with pytest.raises(UsageError, match=message):
        ask(catalog, name, parameters)
