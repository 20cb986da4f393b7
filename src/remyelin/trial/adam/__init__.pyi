from .dataset import Dataset as Dataset
from .records import adeff as adeff
from .subjects import adsl as adsl
