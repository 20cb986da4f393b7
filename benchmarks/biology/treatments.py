"""The table of treatments in docs/theory/treatments.md, from the catalogue.

python benchmarks/biology/treatments.py
"""

from __future__ import annotations

from remyelin import biology

WAYS = {"up": "up", "down": "down", "back": "back to the young"}


def table() -> str:
    """One row for each treatment of the catalogue."""
    lines = [
        "| treatment | what it is | target | step | changes | onset, days | direction |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for drug in biology.known_treatments().values():
        changes = "; ".join(
            f"{action.parameter} {WAYS[action.way]}{' (harm)' if action.harm else ''} [{action.source}]"
            for action in drug.actions
        )
        onset = "3, assumed"
        if drug.kinetics is not None:
            read = "assumed" if drug.kinetics.status == "unverified" else drug.kinetics.source
            onset = f"{drug.kinetics.onset_days:.1f} [{read}]"
        sign = "**contested**: " + drug.contested if drug.contested else "agreed"
        cells = (drug.name, drug.words, ", ".join(drug.target), ", ".join(drug.steps), changes, onset, sign)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
