"""The words of a page, for readers who meet them here first."""

from typing import Final

GLOSSARY: Final = (
    ("annotation", "What a motif is known as, by the modisco file or a motif database."),
    (
        "coefficient",
        "How much of a CWM the contributions at a hit contain. The contributions of each region "
        "are first scaled to a root mean square of one. The global coefficient is in the units of "
        "the contributions, so hits of different regions can be compared.",
    ),
    (
        "contribution",
        "What a base adds to a model's prediction. Projected contributions are of the bases in "
        "the sequence; hypothetical contributions are of all four bases at every position.",
    ),
    ("converged", "The duality gap of the region is within the tolerance."),
    (
        "CWM",
        "Contribution weight matrix: the mean contributions over the sites of a motif, as a "
        "matrix of four bases by W positions.",
    ),
    (
        "duality gap",
        "A bound on how far the solution for a region is from the optimum; zero is exact.",
    ),
    (
        "hit",
        "A place and strand of a motif that the reconstruction of a region uses. A site in two "
        "overlapping regions has a hit in each; unique hits count it once.",
    ),
    ("importance", "Sum of the absolute contributions under a hit."),
    (
        "lambda",
        "The weight of the penalty on hits, and the minimum similarity of a hit. A higher lambda "
        "calls fewer hits.",
    ),
    (
        "misfit",
        "Half the squared residual divided by the region width: what the hits do not explain.",
    ),
    (
        "odds ratio",
        "The odds that a region has one motif if it has the other, divided by the odds if it "
        "does not.",
    ),
    ("primary hit", "A hit that has no overlapping hit of higher similarity."),
    ("recall", "The share of the seqlets of a motif that are also hits of it."),
    ("region", "The bases around the summit of a peak, in which hits are called."),
    ("seqlet", "A stretch of bases that TF-MoDISco used to build a motif."),
    ("shard", "A group of regions that are solved and saved together."),
    ("similarity", "Cosine of the contributions under a hit with the trimmed CWM."),
    ("summit", "The middle of a region."),
    ("trim window", "The columns of a CWM that make up the motif; the other columns are flanks."),
    (
        "unique hit",
        "One hit per place, motif and strand, however many overlapping regions have it.",
    ),
)
"""Terms and meanings, by term."""
