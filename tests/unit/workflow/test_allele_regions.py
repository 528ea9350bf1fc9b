"""Regions of both alleles: in the order of the variants, and only where they hold the alleles."""

import numpy as np
import pytest

from finemo_dist.core.errors import InputError, StoreError
from finemo_dist.sources.variants import Variant
from finemo_dist.store.staging import encode
from finemo_dist.workflow.allele_regions import find_places, open_alleles, open_any
from tests.unit.store.memory_source import make_source

LEFT, RIGHT = "ACGTACGT", "TTGGCCAA"


def write_npz(path, *regions, starts=None, peak_ids=None):
    """Write regions as finemo does; a row of their contributions is its number."""
    codes = np.array([["ACGTN".index(base) for base in region] for region in regions])
    n, width = codes.shape
    arrays = {
        "sequences": (codes[:, None, :] == np.arange(4)[:, None]).astype(np.int8),
        "contributions": np.repeat(np.arange(n, dtype=np.float16), width).reshape(n, width),
    }
    if starts is not None:
        arrays |= {
            "chr": np.array(["chr1"] * n),
            "chr_id": np.zeros(n, int),
            "start": np.array(starts),
            "peak_id": np.array(range(n) if peak_ids is None else peak_ids),
            "peak_name": np.array(["p"] * n),
        }
    np.savez(path, **arrays)
    return path


def variant(ref="A", alt="G", name="v", start=8):
    return Variant(name, "chr1", start, ref, alt, 1 if ref is None else len(ref))


def opened(variants, ref, alt=None, pairs=None):
    return open_alleles(variants, ref, alt, pairs=pairs, region_width=17)


def places_of(tmp_path, one, ref, alt, *, starts=None):
    """Return the places of one variant in its reference and alternative region."""
    path = write_npz(tmp_path / "r.npz", ref, alt, starts=None if starts is None else starts * 2)
    alleles = opened([one], path)
    found = find_places(alleles, 0, alleles.ref.read(0, 1), alleles.alt.read(0, 1))
    return [int(values[0]) for values in (found.ref, found.alt, found.ref_width, found.alt_width)]


@pytest.mark.parametrize(
    ("one", "ref", "alt", "expected"),
    [
        (variant(), LEFT + "A" + RIGHT, LEFT + "G" + RIGHT, [8, 8, 1, 1]),
        (variant("N", "G"), LEFT + "A" + RIGHT, LEFT + "G" + RIGHT, [8, 8, 1, 1]),
        (variant(), LEFT + "N" + RIGHT, LEFT + "G" + RIGHT, [8, 8, 1, 1]),
        # A BED does not say the alleles: the flanks alone are compared.
        (variant(None, None), LEFT + "A" + RIGHT, LEFT + "C" + RIGHT, [8, 8, 1, 1]),
        # Deleted and inserted bases; the region is filled up at its right end.
        (variant("AG", ""), LEFT + "AG" + RIGHT[:7], LEFT + RIGHT + "T", [8, 8, 2, 0]),
        (variant("", "AG"), LEFT + RIGHT + "T", LEFT + "AG" + RIGHT[:7], [8, 8, 0, 2]),
        # The alternative is centred, so that its allele begins a base earlier.
        (variant("A", "GGG"), LEFT + "A" + RIGHT, LEFT[1:] + "GGG" + RIGHT[:7], [8, 7, 1, 3]),
        (variant("AAA", "G"), LEFT + "AAA" + RIGHT[:6], "T" + LEFT + "G" + RIGHT[:7],
         [8, 9, 3, 1]),
    ],
)  # fmt: skip
def test_alleles_are_found_in_the_middle_of_their_regions(tmp_path, one, ref, alt, expected):
    assert places_of(tmp_path, one, ref, alt) == expected


@pytest.mark.parametrize(("start", "at"), [(100, 0), (104, 4), (116, 16)])
def test_coordinates_say_where_a_variant_lies(tmp_path, start, at):
    region = LEFT + "A" + RIGHT
    ref, alt = (region[:at] + base + region[at + 1 :] for base in "AG")

    found = places_of(tmp_path, variant(start=start), ref, alt, starts=[100])

    assert found == [at, at, 1, 1]


@pytest.mark.parametrize(
    ("one", "ref", "alt", "starts", "said"),
    [
        (variant(), LEFT + "C" + RIGHT, LEFT + "G" + RIGHT, None,
         "variant 'v' ('A' and 'G') at base 8 of the region, with equal flanks; found 'CGTCTTG'"),
        (variant(), LEFT + "A" + RIGHT, LEFT + "C" + RIGHT, None, "found 'CGTATTG'"),
        # Another base beside the allele.
        (variant(), LEFT + "A" + RIGHT, LEFT + "GA" + RIGHT[1:], None, "found 'CGTATTG'"),
        # Before the region, behind it, and partly behind it.
        (variant(start=99), LEFT + "A" + RIGHT, LEFT + "G" + RIGHT, [100], "at base -1 of the reg"),
        (variant(start=117), LEFT + "A" + RIGHT, LEFT + "G" + RIGHT, [100], "at base 17 of the"),
        (variant("AA", "G", start=116), LEFT + "A" + RIGHT, LEFT + "G" + RIGHT, [100],
         "at base 16 of the region"),
        # Each place the allele may have begun at is before the region, in it or beyond its end.
        (variant("A", "GGG", start=101), "AA" + LEFT + RIGHT[1:], LEFT + "G" + RIGHT, [100],
         "at base 1 of the region"),
        (variant("TTT", "G", start=114), LEFT + RIGHT[:6] + "TTT", LEFT + "A" + RIGHT, [100],
         "at base 14 of the region"),
        (variant("T", "GGG", start=114), LEFT + RIGHT[:6] + "TAA", LEFT + "A" + RIGHT, [100],
         "at base 14 of the region"),
    ],
)  # fmt: skip
def test_regions_without_the_alleles_refuse(tmp_path, one, ref, alt, starts, said):
    with pytest.raises(InputError) as caught:
        places_of(tmp_path, one, ref, alt, starts=starts)

    path = tmp_path / "r.npz"
    assert str(caught.value).startswith(f"{path}, row 0, and {path}: do not hold the alleles of")
    assert said in str(caught.value)
    assert str(caught.value).endswith("which regions belong to which variant.")


def test_pairs_say_which_rows_belong_to_a_variant(tmp_path):
    ref = write_npz(tmp_path / "ref.npz", "A" * 17, "C" * 17, "G" * 17)
    alt = write_npz(tmp_path / "alt.npz", "T" * 17, "A" * 17)
    pairs = tmp_path / "pairs"
    pairs.write_text("w\t2\t0\nv\t0\t1\nw\t2\t1\n")

    found = opened([variant(name="v"), variant(name="w")], ref, alt, pairs)

    assert [one.id for one in found.variants] == ["w", "v", "w"]
    assert found.ref.read(0, 3).sequence[:, 0].tolist() == [2, 0, 2]
    assert found.alt.read(0, 3).sequence[:, 0].tolist() == [3, 0, 0]
    assert found.alt.read(0, 3).contributions[:, 0].tolist() == [0, 1, 1]
    assert found.ref.table(1, 3).peak_id.tolist() == [1, 2]
    assert found.starts is None


def test_rows_are_in_the_order_of_the_peaks(tmp_path):
    ref = write_npz(tmp_path / "r.npz", "A" * 17, "C" * 17, starts=[50, 70], peak_ids=[1, 0])
    alt = write_npz(tmp_path / "a.npz", "G" * 17, "T" * 17)

    found = opened([variant(name="v"), variant(name="w")], ref, alt)

    assert found.ref.rows.tolist() == [1, 0]
    assert found.alt.rows.tolist() == [0, 1]
    assert found.starts.tolist() == [70, 50]


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ("v\t3\t0\n", "names row 3 of {ref}, which has 3 regions. Rows count from 0."),
        ("v\t0\t2\n", "names row 2 of {alt}, which has 2 regions. Rows count from 0."),
        ("v\t0\t0\nu\t0\t0\n", "names variant 'u', which -v lacks. Expected names of the variants"),
        ("# nothing\n", "names no variant. Expected names of the variants of -v, one per line."),
    ],
)
def test_pairs_that_name_what_there_is_not_refuse(tmp_path, pairs, said):
    ref = write_npz(tmp_path / "ref.npz", *["A" * 17] * 3)
    alt = write_npz(tmp_path / "alt.npz", *["A" * 17] * 2)
    (tmp_path / "pairs").write_text(pairs)

    with pytest.raises(InputError) as caught:
        opened([variant()], ref, alt, tmp_path / "pairs")

    said = said.format(ref=ref, alt=alt)
    assert str(caught.value).startswith(f"{tmp_path / 'pairs'}: {said}")


@pytest.mark.parametrize(
    ("n_ref", "n_alt", "said"),
    [
        (3, None, "{ref}: 1 variant and 3 regions; expected 2, first all reference."),
        (1, 2, "{ref} and {alt}: 1 variant and 1 and 2 regions; expected 1 each."),
    ],
)
def test_another_number_of_regions_than_of_variants_refuses(tmp_path, n_ref, n_alt, said):
    ref = write_npz(tmp_path / "ref.npz", *["A" * 17] * n_ref)
    alt = None if n_alt is None else write_npz(tmp_path / "alt.npz", *["A" * 17] * n_alt)

    with pytest.raises(InputError) as caught:
        opened([variant()], ref, alt)

    assert str(caught.value).startswith(said.format(ref=ref, alt=alt))


def test_alleles_of_another_width_refuse(tmp_path):
    ref = write_npz(tmp_path / "ref.npz", "A" * 17)
    alt = write_npz(tmp_path / "alt.npz", "A" * 16)

    with pytest.raises(InputError) as caught:
        opened([variant()], ref, alt)

    assert str(caught.value) == (
        f"{alt}: regions are 16 bases wide, and those of {ref} are 17; expected one width. "
        "Extract both with the same -w."
    )


def test_a_store_is_opened_as_such_and_what_is_nothing_is_refused(tmp_path):
    source = make_source(3, width=12)
    encode(source, tmp_path / "s.zarr")

    found = open_any(tmp_path / "s.zarr", 12)

    assert np.array_equal(found.read(0, 3).sequence, source.sequence)
    with pytest.raises(StoreError, match=r"none\.zarr"):
        open_any(tmp_path / "none.zarr", 12)
