"""Pages: complete, self-contained, safe and the same bytes every time."""

from remyelin.report import all_pages


def test_x(trial_folder):
    import shutil
    from pathlib import Path

    shutil.rmtree("/tmp/reportdev/out", ignore_errors=True)
    print(all_pages(trial_folder))
    shutil.copytree(trial_folder, "/tmp/reportdev/out")
