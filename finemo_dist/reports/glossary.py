"""The words of a page, for readers who meet them here first."""

from typing import Final

GLOSSARY: Final = (
    ("annotation", "What a motif is known as, from the modisco file or a database of motifs."),
    (
        "coefficient",
        "How much of a CWM is in the contributions at a hit, where the contributions of a region "
        "are scaled to a root mean square of one. The global coefficient is in the units of the "
        "contributions and compares hits between regions.",
    ),
    (
        "contribution",
        "What a base adds to a model's prediction. Projected contributions are of the base that "
        "is there, hypothetical ones of every base that could be.",
    ),
    ("converged", "The duality gap of the region is within the tolerance."),
    (
        "CWM",
        "Contribution weight matrix: the mean contributions of the sites of a motif, four bases "
        "by W positions.",
    ),
    (
        "duality gap",
        "A bound on how far the answer for a region is from the best there is; zero is exact.",
    ),
    ("hit", "A place and strand of a motif that the reconstruction of its region uses."),
    ("importance", "Sum of the absolute contributions under a hit."),
    (
        "lambda",
        "The weight of the penalty on hits, also the least similarity of a hit. Higher calls "
        "fewer hits.",
    ),
    ("misfit", "Half the squared residual over the region width: what the hits leave unexplained."),
    (
        "odds ratio",
        "Odds that a region has one motif when it has the other, over the odds when it has not.",
    ),
    ("primary hit", "A hit that no overlapping hit beats in similarity."),
    ("recall", "Share of the seqlets of a motif on which a hit of it lies."),
    ("region", "The bases around a peak's summit in which hits are called."),
    ("seqlet", "A stretch of bases that TF-MoDISco put into a motif when it was discovered."),
    ("shard", "Regions that are solved and committed together."),
    ("similarity", "Cosine of the contributions under a hit with the trimmed CWM."),
    ("summit", "The middle of a region."),
    ("trim window", "The columns of a CWM that count as the motif; the rest is its flanks."),
    ("unique hit", "One hit a place, motif and strand where regions overlap."),
)
"""Terms and meanings, by term."""
