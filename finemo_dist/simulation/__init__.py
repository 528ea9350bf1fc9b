"""Generated data with known motif sites: for the demo, tests and benchmarks."""
