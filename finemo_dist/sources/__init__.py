"""Regions from outside: peaks with a genome and bigWigs, model output in H5, npy and npz."""
