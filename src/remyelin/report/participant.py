"""The panels of a participant's page, which never shows an arm: it is made before the allocation is used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from . import evoked_panels, figures
from .conduct import flag_table, registration_rows
from .evoked import Evoked
from .lesions import LesionChanges, image_visits
from .maps import Maps
from .mosaic import close_ups, overview, scale_bars
from .outputs import Outputs
from .panels import Headline, Panel, Table, quality_chip
from .words import count, number, sentence, signed

SHOWN_LESIONS = 24
# Measured at the participant, and not in images.
OF_PEOPLE = ("edss", "lcla_letters", "p100_asymmetry_ms", "rnfl_asymmetry_um", "gcipl_asymmetry_um")


@dataclass(frozen=True)
class Participant:
    """One participant of the output folder."""

    outputs: Outputs
    id: str

    @cached_property
    def measurements(self) -> pd.DataFrame:
        """The measurements of this participant."""
        return self.outputs.of_participant(self.id)

    @cached_property
    def visits(self) -> list[str]:
        """Visits with images in order of their days; evoked potentials may have others."""
        return image_visits(self.measurements)

    @cached_property
    def changes(self) -> LesionChanges:
        """Lesions from the first to the last visit."""
        return LesionChanges.of(self.measurements)

    @cached_property
    def maps(self) -> Maps | None:
        """The maps of the first and the last visit; None where there are none."""
        return Maps.read(self.outputs.root, self.id, (self.changes.first, self.changes.last))

    @cached_property
    def evoked(self) -> Evoked:
        """The visual evoked potentials."""
        root = self.outputs.root
        return Evoked.of(self.measurements, root / self.id / f"{self.id}_waveforms.tsv", root)

    @property
    def imaged(self) -> bool:
        """Whether the page is of images: it is unless there are visual evoked potentials and nothing else."""
        elsewhere = ~self.measurements["site"].str.startswith("eye:")
        of_images = elsewhere & ~self.measurements["measure"].isin(OF_PEOPLE)
        return bool(of_images.any()) or not self.evoked.present


def headline(person: Participant) -> Headline:
    """What stands on top of the page: the change of MTR; of the VEP where there are no images."""
    if not person.imaged:
        return evoked_panels.headline(person.evoked)
    found = _imaging_headline(person)
    also = evoked_panels.in_a_sentence(person.evoked)
    return replace(found, sentence=f"{found.sentence} Evoked potentials: {also}") if also else found


def _imaging_headline(person: Participant) -> Headline:
    kicker = "Change of MTR in submedian lesions"
    followed = person.changes.followed
    first, last = person.changes.first, person.changes.last
    if len(person.visits) < 2:
        lesions = count(len(person.changes.frame), "lesion")
        return Headline(kicker, "one visit", lesions, "There is no second visit yet, so no change to show.")
    below = followed[followed["submedian"]]
    if not len(below):
        said = (
            f"{count(len(followed), 'lesion')} could be followed from {first} to {last}. None lies below the "
            "participant's own median: a participant with one lesion never has such a lesion."
        )
        return Headline(kicker, "none", "no submedian lesion", sentence(said))
    said = (
        f"Mean change from {first} to {last} in the {len(below)} of "
        f"{count(len(followed), 'followed lesion')} that lay below this participant's median at baseline. "
        f"In all followed lesions it was {signed(followed['change'].mean())} pu. Choosing lesions by a noisy "
        "baseline lifts the first number (regression to the mean); the page of the trial shows it with and "
        "without."
    )
    se = float((below["se"] ** 2).sum() ** 0.5 / len(below))
    aside = f"measurement error of this mean: ± {number(se)} pu (standard error)"
    return Headline(kicker, f"{signed(below['change'].mean())} pu", aside, said)


def panels(person: Participant) -> list[Panel]:
    """The panels of the page, in the order of a reader's questions."""
    imaging = [
        change_panel(person),
        maps_panel(person),
        lesions_panel(person),
        registration_panel(person),
        calibration_panel(person),
        tissue_panel(person),
    ]
    settings = person.outputs.settings.get("measure", {})
    evoked = evoked_panels.panels(person.evoked, settings)
    return [*(imaging if person.imaged else []), *evoked, flags_panel(person)]


def change_panel(person: Participant) -> Panel:
    """Which lesions changed?"""
    question = "Which lesions changed?"
    followed = person.changes.followed
    table = _lesion_table(person)
    if not len(followed):
        return Panel("change", question, "No lesion was measured at two visits.", (), table, unfolded=True)
    clear = followed[(followed["change"].abs() > 1.96 * followed["se"])]
    answer = sentence(
        f"{count(int((followed['change'] > 0).sum()), 'lesion')} rose and "
        f"{count(int((followed['change'] < 0).sum()), 'lesion')} fell; {len(clear)} changed by more than "
        "1.96 standard errors of their own measurement."
    )
    caption = "Each lesion with the 95 % interval of its measurement error. Filled: below the median."
    figure = figures.caterpillar(followed, "caterpillar", f"Change of each lesion. {answer}")
    return Panel("change", question, answer, ((figure, caption),), table)


def _lesion_table(person: Participant) -> Table:
    columns = (
        "lesion",
        "#volume, mm³",
        f"#{person.changes.first}, pu",
        f"#{person.changes.last}, pu",
        "#change, pu",
        "#se",
        "below median",
        "state",
        "quality",
        "reason",
    )
    rows = tuple(
        (
            row["lesion"],
            number(row["volume_mm3"], 0),
            number(row["baseline"]),
            number(row["follow_up"]),
            signed(row["change"]),
            number(row["se"]),
            "yes" if row["submedian"] else "no",
            row["state"],
            quality_chip(row["quality"]),
            row["reason"],
        )
        for _, row in person.changes.frame.iterrows()
    )
    return Table("one row a lesion", columns, rows, "No lesion: the mask holds none that is large enough.")


def maps_panel(person: Participant) -> Panel:
    """Where are the lesions?"""
    question = "Where are the lesions, and what became of them?"
    if person.maps is None:
        absent = "No map in halfway space stands in the output folder, so none can be shown."
        return Panel("maps", question, absent)
    frame = person.changes.frame
    changes = {person.maps.label_of(row["lesion"]): row["change"] for _, row in frame.iterrows()}
    alt = f"Axial MTR maps of {person.id} at the first and last visit with outlines of the lesions"
    picture = overview(person.maps, changes, alt)
    if picture is None:
        return Panel("maps", question, "There is no lesion to outline on the maps.")
    caption = (
        "MTR at both visits, each interpolated once into the space halfway between them; right: each lesion "
        "in the colour of its measured change. The participant's right is on the right."
    )
    answer = "The slices with the most lesion; outlines mark the lesions."
    return Panel("maps", question, answer, ((picture, caption), (scale_bars(), "Colour scales.")))


def lesions_panel(person: Participant) -> Panel:
    """What does each lesion look like?"""
    question = "What does each lesion look like?"
    if person.maps is None:
        return Panel("lesions", question, "Without maps there is no picture of a lesion.")
    frame = person.changes.frame.sort_values(["volume_mm3", "lesion"], ascending=[False, True], kind="stable")
    shown = [
        (person.maps.label_of(row["lesion"]), str(row["lesion"]), float(row["change"]))
        for _, row in frame.head(SHOWN_LESIONS).iterrows()
    ]
    alt = f"Close-ups of lesions of {person.id}: first visit, last visit, smoothed change"
    picture = close_ups(person.maps, shown, alt)
    if picture is None:
        return Panel("lesions", question, "No lesion has a voxel on the maps.")
    caption = (
        f"Each lesion: {person.maps.visits[0]}, {person.maps.visits[-1]}, and the change smoothed over 4 mm. "
        "The number is the measured change of the whole lesion, which no smoothing enters."
    )
    answer = f"{count(len(shown), 'lesion')}, largest first" + (
        f"; {len(frame) - len(shown)} smaller ones stand in the table above."
        if len(frame) > len(shown)
        else "."
    )
    return Panel("lesions", question, answer, ((picture, caption),))


def registration_panel(person: Participant) -> Panel:
    """Are the images aligned?"""
    rows = registration_rows(person.measurements)
    table = Table(
        "one row a pair of images",
        ("visit", "pair", "#error, mm", "quality", "reason"),
        tuple(
            (
                row["visit"],
                row["pair"],
                number(row["error_mm"], 3),
                quality_chip(row["quality"]),
                row["reason"],
            )
            for _, row in rows.iterrows()
        ),
        "No registration stands in the measurements.",
    )
    question = "Are the images aligned?"
    if not len(rows):
        return Panel("registration", question, "Unknown: no registration stands in the measurements.")
    bad = int((rows["quality"] != "pass").sum())
    answer = (
        f"{count(len(rows), 'registration')}; the largest error is {number(rows['error_mm'].max(), 3)} mm; "
        f"{bad or 'none'} of them is doubtful."
    )
    return Panel("registration", question, answer, (), table, unfolded=True)


def calibration_panel(person: Participant) -> Panel:
    """How much of a true change would be seen?"""
    question = "How much of a true change would be seen here?"
    own = person.measurements[person.measurements["measure"] == "mtr_calibration_slope"]
    whole = own[(own["site"] == "participant") & own["value"].notna()]
    if not len(whole):
        return Panel("calibration", question, "The self-calibration was not run for this participant.")
    row = whole.iloc[0]
    half = 1.96 * row["se"]
    low, high = number(row["value"] - half), number(row["value"] + half)
    answer = (
        f"{number(100 * row['value'], 0)} % of it: a known change, put into this participant's own lesions "
        "in the native images and measured by the same steps, came back with a slope of "
        f"{number(row['value'])} (95 % CI {low} to {high})."
    )
    return Panel("calibration", question, answer)


def tissue_panel(person: Participant) -> Panel:
    """Did anything else drift?"""
    question = "Did tissue outside the lesions drift?"
    frame = person.measurements
    own = frame[
        frame["site"].str.startswith("tissue:") & (frame["measure"] == "mtr_pu") & (frame["condition"] == "")
    ]
    wide = own.pivot(index="site", columns="visit", values="value")
    if not len(wide) or len(person.visits) < 2:
        said = (
            "No tissue outside the lesions was measured at two visits; a segmentation in the dataset adds it."
        )
        return Panel("tissue", question, said)
    first, last = person.changes.first, person.changes.last
    wide = wide.reindex(columns=[first, last])
    rows = tuple(
        (
            str(site).removeprefix("tissue:").upper(),
            number(row[first]),
            number(row[last]),
            signed(row[last] - row[first]),
        )
        for site, row in wide.iterrows()
    )
    named = [f"{name} {change} pu" for name, _, _, change in rows]
    answer = f"From {first} to {last}: {', '.join(named)}. It is drift of the scanner, or disease."
    columns = ("tissue", f"#{first}, pu", f"#{last}, pu", "#change, pu")
    return Panel("tissue", question, answer, (), Table("one row a tissue", columns, rows))


def flags_panel(person: Participant) -> Panel:
    """What is doubtful?"""
    flags = person.outputs.flags_of(person.id)
    answer = f"{count(len(flags), 'finding')} in the recordings." if flags else "Nothing was flagged."
    return Panel("flags", "What is doubtful here?", answer, (), flag_table(flags), unfolded=bool(flags))
