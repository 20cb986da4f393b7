"""Running many jobs, here or on other processes, so that a stopped run can go on where it stopped."""

from .jobs import Failure, Job, Outcome
from .lock import output_lock
from .mapping import map_jobs
from .records import read_records
from .threads import one_thread

__all__ = ["Failure", "Job", "Outcome", "map_jobs", "one_thread", "output_lock", "read_records"]
