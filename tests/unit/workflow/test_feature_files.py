"""Tracks below a locus: what of a file of genes or intervals is shown, and where."""

import pytest

from finemo_dist.core.errors import InputError
from finemo_dist.reports.locus_view import Feature
from finemo_dist.workflow.feature_files import read_track

PLACES = [("chr1", 100, 200), ("chr2", 0, 50), (None, 100, 200)]


@pytest.fixture
def shown(tmp_path):
    """Return the features that a file of a name and content shows at each of the places."""

    def read(name, *lines):
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines))
        tracks = read_track(path, PLACES)
        assert [track.name for track in tracks] == [name] * 3
        return [track.features for track in tracks]

    return read


def gtf(kind, start, end, attributes, *, strand="+", chrom="chr1"):
    return f"{chrom}\tx\t{kind}\t{start}\t{end}\t.\t{strand}\t.\t{attributes}"


@pytest.mark.parametrize(
    ("line", "feature"),
    [
        ("chr1\t150\t160", Feature("", 150, 160, "", ())),
        ("chr1\t150\t160\ta", Feature("a", 150, 160, "", ())),
        ("chr1\t150\t160\ta\t0\t-", Feature("a", 150, 160, "-", ())),
        (
            "chr1\t150\t190\ta\t0\t+\t150\t190\t0\t2\t5,10,\t0,30,",
            Feature("a", 150, 190, "+", ((150, 155), (180, 190))),
        ),
    ],
)
def test_intervals_have_the_name_strand_and_blocks_of_their_columns(shown, line, feature):
    assert shown("x.bed", "# x", "track name=x", "browser position chr1", line) == [
        (feature,),
        (),
        (),
    ]


def test_what_shares_no_base_with_a_place_is_not_shown(shown):
    lines = ["chr1\t90\t100\tbefore", "chr1\t99\t101\tfirst", "chr1\t199\t300\tlast",
             "chr1\t200\t210\tbehind", "chr2\t49\t50\tother"]  # fmt: skip

    found = shown("x.bed.gz.txt", *lines)

    assert [[feature.name for feature in track] for track in found] == [
        ["first", "last"],
        ["other"],
        [],
    ]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "x.gtf",
            [
                "#!genome-build x",
                gtf("gene", 101, 190, 'gene_id "g1"; gene_name "JUN";'),
                gtf("transcript", 101, 150, 'gene_id "g1"; transcript_id "t1"; gene_name "JUN";'),
                gtf("exon", 171, 190, 'gene_id "g1"; exon_number 2; gene_name "JUN";'),
                gtf("exon", 101, 120, 'gene_id "g1"; exon_number 1; gene_name "JUN";'),
                gtf("CDS", 105, 120, 'gene_id "g1"; gene_name "JUN";'),
                gtf("exon", 101, 120, 'gene_id "g1"; transcript_id "t2"; gene_name "JUN";'),
            ],
        ),
        (
            "x.GFF3",
            [
                gtf("mRNA", 101, 150, "ID=t1;Name=JUN"),
                gtf("gene", 101, 190, "ID=g1;Name=JUN"),
                gtf("exon", 171, 190, "gene_name=JUN"),
                gtf("exon", 101, 120, "gene_name=JUN"),
            ],
        ),
    ],
)
def test_a_gene_is_shown_once_at_its_longest_with_its_exons(shown, name, lines):
    gene = Feature("JUN", 100, 190, "+", ((100, 120), (170, 190)))

    assert shown(name, *lines) == [(gene,), (), ()]


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ('gene_id "g1"; gene_name "";', "g1"),
        ("ID=g1;gene=abc", "abc"),
        ("Parent=p", "p"),
        ("note=x", "gene"),
    ],
)
def test_the_most_readable_attribute_names_a_gene(shown, attributes, name):
    ((feature,), _, _) = shown("x.gff", gtf("gene", 101, 190, attributes, strand="-"))

    assert feature == Feature(name, 100, 190, "-", ())


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("x.bed", "chr1\t160\t150"),
        ("x.bed", "chr1\t-1\t150"),
        ("x.bed", "chr1\t150"),
        ("x.bed", "chr1\tx\t150"),
        ("x.bed", "chr1\t150\t190\ta\t0\t+\t150\t190\t0\t2\t5,10\t0"),
        ("x.gtf", "chr1\tx\tgene\t101\t190\t.\t+\t."),
        ("x.gtf", gtf("gene", "x", 190, "ID=a")),
        ("x.gtf", gtf("gene", 0, 190, "ID=a")),
        ("x.gtf", gtf("gene", 191, 190, "ID=a")),
    ],
)
def test_a_malformed_line_is_refused_with_its_number(shown, tmp_path, name, line):
    with pytest.raises(InputError) as caught:
        shown(name, "# x", line)

    assert str(caught.value).startswith(f"{tmp_path / name}, line 2: found {line[:80]!r}, expected")
    form = "with 1 <= start <= end" if name == "x.gtf" else "chromosome, start and end of a BED"
    assert form in str(caught.value)
