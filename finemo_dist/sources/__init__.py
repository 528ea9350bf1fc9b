"""Regions from files and arrays: peaks with a genome and bigWigs, and H5, npy and npz files."""
