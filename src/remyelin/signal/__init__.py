"""Myelin and conduction to what an instrument would read: MT physics, the visual evoked potential."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
