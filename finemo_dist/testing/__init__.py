"""Samples with known motif sites, and writers of small inputs: for the demo and for tests."""
