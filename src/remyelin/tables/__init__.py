"""The tables that flow between the layers: measurements and results, checked, in Parquet and TSV."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
