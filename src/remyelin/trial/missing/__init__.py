"""Participants who leave: multiple imputation, what is assumed after they left, and how wrong that may be."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
