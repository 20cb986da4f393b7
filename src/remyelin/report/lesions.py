"""Each lesion from the first visit to the last, as a table of the page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

KEY = ["participant_id", "site"]


@dataclass(frozen=True, slots=True)
class LesionChanges:
    """One row a lesion: `participant_id, lesion, baseline, follow_up, change, se, volume_mm3, submedian,
    state, quality, reason`.

    `first` and `last` are the visits compared. `se` joins the standard errors of both visits; `submedian` is
    true where the baseline lies below the participant's median over lesions that have one. `state` is
    ``"followed"``, ``"new"``, ``"vanished"`` or ``"missing"``. Tissue measured before it became a lesion is
    no baseline of a lesion; where one has vanished from the mask, its place is still followed.
    """

    first: str
    last: str
    frame: pd.DataFrame

    @classmethod
    def of(cls, measurements: pd.DataFrame, *, first: str = "", last: str = "") -> LesionChanges:
        """The lesions of a table of measurements between two visits (by default its first and last)."""
        lesions = measurements[
            measurements["site"].str.startswith("lesion:") & (measurements["condition"] == "")
        ]
        visits = image_visits(measurements) or visit_order(measurements)
        first, last = first or next(iter(visits), ""), last or next(reversed(visits), "")
        before, after = (_at(lesions, visit) for visit in (first, last))
        frame = before.add_suffix("_0").join(after.add_suffix("_1"), how="outer")
        drawn = lesions[(lesions["measure"] == "lesion_volume_mm3") & (lesions["state"] == "present")]
        frame = frame.join(drawn.groupby(KEY)["value"].first().rename("volume_mm3")).reset_index()
        return cls(first, last, _rows(frame))

    @property
    def followed(self) -> pd.DataFrame:
        """Lesions measured at both visits."""
        return self.frame[self.frame["state"] == "followed"]

    def of_participant(self, participant_id: str) -> LesionChanges:
        """The lesions of one participant."""
        own = self.frame[self.frame["participant_id"] == participant_id]
        return LesionChanges(self.first, self.last, own.reset_index(drop=True))


def visit_order(measurements: pd.DataFrame) -> list[str]:
    """Visits by their day, those without a day by name.

    Examples
    --------
    >>> visit_order(pd.DataFrame({"visit": ["M06", "M00"], "day": [180.0, 0.0]}))
    ['M00', 'M06']
    """
    days = measurements.groupby("visit")["day"].median().fillna(np.inf)
    return [str(visit) for visit in sorted(days.index, key=lambda visit: (days[visit], visit))]


def image_visits(measurements: pd.DataFrame) -> list[str]:
    """Visits at which something else than an eye was measured, by their day."""
    return visit_order(measurements[~measurements["site"].str.startswith("eye:")])


def _at(lesions: pd.DataFrame, visit: str) -> pd.DataFrame:
    """MTR of each lesion at a visit, with what the mask of that visit says of it: `in_mask, event`."""
    own = lesions[lesions["visit"] == visit].set_index(KEY)
    mask = own.loc[own["measure"] == "lesion_volume_mm3", ["state", "reason"]]
    mask = mask.set_axis(["in_mask", "event"], axis=1)
    return own[own["measure"] == "mtr_pu"].join(mask)


def _rows(frame: pd.DataFrame) -> pd.DataFrame:
    seen = [_present(frame, 0) & (frame["in_mask_0"] != "absent"), _present(frame, 1)]
    state = np.select([seen[0] & seen[1], seen[0], seen[1]], ["followed", "vanished", "new"], "missing")
    baseline = frame["value_0"].where(seen[0])
    follow_up = frame["value_1"].where(seen[1])
    median = baseline.groupby(frame["participant_id"]).transform("median")
    return pd.DataFrame(
        {
            "participant_id": frame["participant_id"],
            "lesion": frame["site"].str.removeprefix("lesion:"),
            "baseline": baseline,
            "follow_up": follow_up,
            "change": follow_up - baseline,
            "se": np.hypot(frame["se_0"], frame["se_1"]),
            "volume_mm3": frame["volume_mm3"],
            "submedian": (baseline < median).to_numpy(bool),
            "state": state,
            "quality": [_worse(a, b) for a, b in zip(frame["quality_0"], frame["quality_1"], strict=True)],
            "reason": [_joined(*each) for each in frame[["reason_0", "reason_1", "event_1"]].to_numpy()],
        }
    )


def _present(frame: pd.DataFrame, visit: int) -> pd.Series[bool]:
    return (frame[f"state_{visit}"] == "present") & frame[f"value_{visit}"].notna()


def _worse(a: object, b: object) -> str:
    named = [q for q in ("fail", "flag") if q in (a, b)]
    return named[0] if named else "pass"


def _joined(*reasons: object) -> str:
    return "; ".join(dict.fromkeys(text for text in reasons if isinstance(text, str) and text))
