"""Write the calibration of the lineage as a PEtab problem into a folder.

python benchmarks/biology/petab_tables.py FOLDER
"""

from __future__ import annotations

import argparse
from pathlib import Path

from remyelin import biology


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("folder", type=Path)
    folder = asked.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in biology.to_petab().items():
        (folder / name).write_text(text, encoding="utf-8")
        print(folder / name)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
