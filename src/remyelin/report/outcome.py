"""What the trial found: participants, eyes or lesions, maps, and what the estimate rests on."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from . import figures
from .evoked import Z95
from .maps import Maps
from .mosaic import overview, scale_bars
from .panels import Panel, Table, quality_chip
from .siblings import siblings_panel
from .trial import Trial
from .words import count, listing, number, sentence, signed

ALL = "all participants"
SHOWN_ARMS = 4
SUBMEDIAN_DOI = "10.1016/S1474-4422(21)00179-4"  # CCMR One


def panels(trial: Trial) -> list[Panel]:
    """What was found, in the order of a reader's questions."""
    shown = [participants_panel(trial)]
    if trial.of_eyes:
        shown.append(eyes_panel(trial))
    if not trial.of_eyes or len(trial.changes.frame):
        shown += [lesions_panel(trial), maps_panel(trial)]
    return [*shown, siblings_panel(trial)]


def participants_panel(trial: Trial) -> Panel:
    """How did each participant change?"""
    question = "How did each participant change?"
    people = trial.people[trial.people["change"].notna()]
    if not len(people):
        return Panel("participants", question, "No participant has a change to show.")
    means = [
        f"{signed(people.loc[people['arm'] == arm, 'change'].mean())} {trial.unit}"
        f"{f' with {arm}' if arm else ' on average'} (n = {(people['arm'] == arm).sum()})"
        for arm in trial.arms
    ]
    visits = trial.span
    answer = f"The mean change from {visits[0]} to {visits[1]} was {listing(means)}."
    alt = f"Change of each participant. {answer}"
    figure = figures.participants(people, trial.arms, trial.unit, visits, "people", alt)
    caption = (
        "Left: each line is a participant. Right: each point is a participant and leads to their page; the "
        "diamond is the mean with its 95 % interval."
    )
    table = _people_table(trial, "hidden" if trial.blinded else "none")
    left_out = len(trial.people) - len(people)
    if left_out:
        answer += f" {sentence(count(left_out, 'participant'))} without a change: the table says why."
    return Panel("participants", question, answer, ((figure, caption),), table)


def _people_table(trial: Trial, no_arm: str) -> Table:
    rows = tuple(
        (
            _link(row["participant_id"]),
            row["arm"] or no_arm,
            number(row["baseline"]),
            number(row["follow_up"]),
            signed(row["change"]),
            number(row.get("se", float("nan"))),
            number(row.get("n_selected", float("nan")), 0),
            quality_chip(row["quality"] or "pass"),
            row["reason"],
        )
        for _, row in trial.people.sort_values(["arm", "participant_id"], kind="stable").iterrows()
    )
    columns = (
        "participant",
        "arm",
        "#baseline",
        "#follow-up",
        "#change",
        "#se",
        f"#{trial.sites}",
        "quality",
        "reason",
    )
    return Table(f"one row a participant, in {trial.unit}", columns, rows)


def eyes_panel(trial: Trial) -> Panel:
    """Which eyes changed?"""
    question = "Which eyes changed?"
    frame, (first, last) = trial.eyes, trial.span
    followed = frame[frame["change"].notna()]
    states = ((first, frame["state_0"] == "absent"), (last, frame["state_1"] == "absent"))
    lost = [f"{int(gone.sum()):,} had no response at {visit}" for visit, gone in states if gone.any()]
    lacking = f" {sentence(listing(lost))}." if lost else ""
    if not len(followed):
        return Panel("eyes", question, f"No eye was measured at both visits.{lacking}")
    arm_of = dict(zip(trial.people["participant_id"], trial.people["arm"], strict=True))
    known = followed.assign(arm=followed["participant_id"].map(arm_of))
    shown = known[known["arm"].isin(list(trial.arms))]
    clear = followed["change"].abs() > Z95 * followed["se"]
    down, up = (int((clear & (followed["change"] * sign > 0)).sum()) for sign in (-1, 1))
    fell, rose = ("came earlier", "later") if trial.unit == "ms" else ("fell", "rose")
    answer = (
        f"{count(len(followed), 'eye')} of {count(followed['participant_id'].nunique(), 'participant')} "
        f"could be followed: {down:,} {fell} and {up:,} {rose} by more than 1.96 standard errors of their "
        f"own measurement.{lacking}"
    )
    figure = figures.eyes(shown, trial.arms, trial.unit, "eyes", f"Change of each eye. {answer}")
    caption = (
        "Each point is an eye with the 95 % interval of its measurement error, against its value at the "
        "first visit. The line is the mean of the arm."
    )
    return Panel("eyes", question, answer, ((figure, caption),), _eye_table(shown, trial))


def _eye_table(shown: pd.DataFrame, trial: Trial) -> Table:
    rows = []
    for arm in trial.arms:
        for eye in sorted(shown["eye"].unique()):
            own = shown[(shown["arm"] == arm) & (shown["eye"] == eye)]
            numbers = (number(own["baseline"].mean(), 1), signed(own["change"].mean()))
            rows.append((arm or ALL, eye, str(len(own)), *numbers, number(own["change"].std())))
    columns = ("arm", "eye", "#number", f"#{trial.span[0]}", "#mean change", "#SD")
    return Table(f"one row an arm and eye, in {trial.unit}", columns, tuple(rows))


def lesions_panel(trial: Trial) -> Panel:
    """Which lesions changed?"""
    question = "Which lesions changed?"
    frame = trial.changes.frame
    followed = trial.changes.followed
    if not len(followed):
        return Panel("lesions", question, "No lesion was measured at both visits.")
    arm_of = dict(zip(trial.people["participant_id"], trial.people["arm"], strict=True))
    known = followed.assign(arm=followed["participant_id"].map(arm_of))
    shown = known[known["arm"].isin(list(trial.arms))]
    states = frame["state"].value_counts()
    rose, fell = int((followed["change"] > 0).sum()), int((followed["change"] < 0).sum())
    answer = (
        f"{count(len(followed), 'lesion')} in {count(followed['participant_id'].nunique(), 'participant')} "
        f"could be followed; {rose:,} rose and {fell:,} fell. Measured at one visit only: "
        f"{states.get('vanished', 0):,} at the first (vanished, or the visit was missed), "
        f"{states.get('new', 0):,} at the second."
    )
    alt = f"Change of each lesion against its baseline. {answer}"
    figure = figures.lesions(shown, trial.arms, "lesions", alt)
    caption = (
        "Filled: lesions below their participant's median at baseline; the line "
        "is their mean. Area of a point: volume. Choosing lesions by a noisy baseline lifts the filled ones "
        "in every arm (regression to the mean), so read the difference between arms, and its correction."
    )
    table = _group_table(shown, list(trial.arms))
    return Panel("lesions", question, answer, ((figure, caption),), table, doi=SUBMEDIAN_DOI)


def _group_table(shown: pd.DataFrame, arms: list[str]) -> Table:
    rows = []
    for arm in arms:
        for below, words in ((True, "below the median"), (False, "the others")):
            own = shown[(shown["arm"] == arm) & (shown["submedian"] == below)]
            rows.append(
                (
                    arm or ALL,
                    words,
                    str(len(own)),
                    signed(own["change"].mean()),
                    number(own["change"].std()),
                    number(own["volume_mm3"].median(), 0),
                )
            )
    columns = ("arm", "lesions", "#number", "#mean change, pu", "#SD, pu", "#median volume, mm³")
    return Table("one row a group of lesions", columns, tuple(rows))


def maps_panel(trial: Trial) -> Panel:
    """What does it look like?"""
    question = "What does it look like in the brain?"
    shown: list[tuple[Markup, str]] = []
    for participant in _examples(trial):
        maps = Maps.read(trial.outputs.root, participant, (trial.changes.first, trial.changes.last))
        if maps is None:
            continue
        own = trial.changes.of_participant(participant).followed
        changes = {maps.label_of(row["lesion"]): row["change"] for _, row in own.iterrows()}
        alt = f"MTR maps of {participant} at both visits with lesion outlines; change of each lesion"
        picture = overview(maps, changes, alt, n_slices=1)
        if picture is not None:
            row = trial.people[trial.people["participant_id"] == participant].iloc[0]
            words = Markup("{} · {} · mean change {} pu").format(
                _link(participant), row["arm"] or "arm hidden", signed(row["change"])
            )
            shown.append((picture, words))
    if not shown:
        absent = "No map in halfway space stands in the output folder, so none can be shown."
        return Panel("maps", question, absent)
    answer = (
        f"{listing(_examples(trial))}: in each arm the participant whose change is the median, not the best. "
        "The slice with the most lesion; the participant's right is on the right."
    )
    shown.append((scale_bars(), "Colour scales of the maps."))
    return Panel("maps", question, answer, tuple(shown))


def _examples(trial: Trial) -> list[str]:
    """The participant nearest to the median change of each arm: a rule, so that nobody picks the best."""
    chosen = []
    for arm in list(trial.arms)[:SHOWN_ARMS]:
        own = trial.people[(trial.people["arm"] == arm) & trial.people["change"].notna()]
        if len(own):
            distance = (own["change"] - own["change"].median()).abs()
            chosen.append(str(own.loc[distance.sort_values(kind="stable").index[0], "participant_id"]))
    return chosen


def _link(participant: str) -> Markup:
    return Markup('<a href="{0}/{0}.html">{0}</a>').format(participant)
