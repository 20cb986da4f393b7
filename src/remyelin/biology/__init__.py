"""Progenitor to myelin: the state of a lesion."""
