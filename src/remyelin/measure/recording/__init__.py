"""Recordings of visual evoked potentials: read, doubted, and cut into sweeps."""
