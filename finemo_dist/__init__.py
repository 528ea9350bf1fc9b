"""finemo_dist calls transcription-factor motif hits in neural-network contribution scores.

The command line is ``finemo-dist``; ``finemo_dist/DESIGN.md`` says how the package is laid out.
Importing this loads neither torch nor ray.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
