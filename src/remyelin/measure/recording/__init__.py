"""Recordings of visual evoked potentials: read, doubted, and cut into sweeps."""

from .load import Loaded, load_recordings, recording_files
from .sweeps import Setup, Sweeps

__all__ = ["Loaded", "Setup", "Sweeps", "load_recordings", "recording_files"]
