"""The same input gives the same words about it, on any day, in any folder."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin import provenance
from remyelin.errors import InputError

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def test_versions_name_the_libraries_that_make_the_numbers() -> None:
    found = provenance.versions()
    assert found["remyelin"] == metadata.version("remyelin")
    assert {"python", "numpy", "scipy", "nibabel"} <= set(found)
    assert found["numpy"] == metadata.version("numpy")
    assert "dask" not in found  # an extra


@given(st.dictionaries(st.text(max_size=5), values, max_size=5))
def test_the_order_of_settings_does_not_matter(settings: dict[str, object]) -> None:
    turned = dict(reversed(settings.items()))
    assert provenance.settings_hash(turned) == provenance.settings_hash(settings)
    assert provenance.settings_hash(json.loads(json.dumps(settings))) == provenance.settings_hash(settings)


@given(st.dictionaries(st.text(max_size=5), values, max_size=5), st.text(max_size=5))
def test_any_change_of_settings_changes_the_hash(settings: dict[str, object], key: str) -> None:
    other = settings | {key: [settings.get(key)]}
    assert provenance.settings_hash(other) != provenance.settings_hash(settings)


def test_another_version_changes_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    now = provenance.settings_hash({"a": 1})
    monkeypatch.setattr(provenance.metadata, "version", lambda name: "99.0")
    assert provenance.settings_hash({"a": 1}) != now


@pytest.mark.parametrize("value", [Path("x"), {1}, b"x", math.nan])
def test_settings_that_are_not_settings_are_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        provenance.settings_hash({"a": value})


def test_input_hashes_depend_on_content_and_relative_name_alone(tmp_path: Path) -> None:
    for place in ("here", "there"):
        for name in ("b", "a/c"):
            path = tmp_path / place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
    here, there = tmp_path / "here", tmp_path / "there"
    hashes = provenance.input_hashes([here / "b", here / "a" / "c"], here)
    assert list(hashes) == ["a/c", "b"]
    assert hashes == provenance.input_hashes([there / "a" / "c", there / "b"], there)
    (there / "b").write_text("B")
    assert hashes != provenance.input_hashes([there / "a" / "c", there / "b"], there)
    with pytest.raises(InputError, match="missing"):
        provenance.input_hashes([there / "gone"], there)


def test_the_description_names_program_and_sources_and_no_place_or_time(tmp_path: Path) -> None:
    source = {"DOI": "doi:10.18112/openneuro.ds000001.v1.0.0", "URL": "https://example.org/data"}
    first = provenance.write_dataset_description(tmp_path / "a", "Measurements", [source]).read_bytes()
    assert (
        provenance.write_dataset_description(tmp_path / "b", "Measurements", [source]).read_bytes() == first
    )
    content = json.loads(first)
    assert content["DatasetType"] == "derivative"
    assert content["GeneratedBy"][0]["Name"] == "remyelin"
    assert content["SourceDatasets"] == [source]
    assert str(tmp_path).encode() not in first


def test_only_what_we_said_ourselves_of_the_recordings_is_handed_on(tmp_path: Path) -> None:
    ours = {"Name": "remyelin virtual trial", "Version": "1", "Description": "Virtual data", "CodeURL": "x"}
    others = {"Name": "scanner of Dr Smith", "Description": "room 7"}
    description = tmp_path / "dataset_description.json"
    description.write_text(json.dumps({"GeneratedBy": [others, ours, "no mapping"]}))
    makers = provenance.made_by_us(tmp_path)
    assert makers == [{"Name": "remyelin virtual trial", "Version": "1", "Description": "Virtual data"}]
    path = provenance.write_dataset_description(tmp_path / "out", "Measurements", makers=makers)
    assert json.loads(path.read_text())["GeneratedBy"][1:] == makers


@pytest.mark.parametrize("text", [None, "", "[]", "{", '{"GeneratedBy": 3}', '{"Name": "x"}'])
def test_a_description_that_says_nothing_hands_on_nothing(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "dataset_description.json").write_text(text)
    assert provenance.made_by_us(tmp_path) == []


@pytest.mark.parametrize("source", [{"URL": "/data/trial"}, {"URL": "file:///data/trial"}, {"Path": "x"}])
def test_a_source_that_only_this_machine_knows_is_refused(tmp_path: Path, source: dict[str, str]) -> None:
    with pytest.raises(InputError, match="source dataset"):
        provenance.write_dataset_description(tmp_path, "Measurements", [source])
    assert not list(tmp_path.iterdir())


def test_the_bids_validator_accepts_the_description(tmp_path: Path) -> None:
    validator = shutil.which("bids-validator-deno", path=str(Path(sys.executable).parent))
    if validator is None:
        pytest.skip("bids-validator-deno is not installed")
    source = {"DOI": "doi:10.18112/openneuro.ds000001.v1.0.0", "URL": "https://example.org/data"}
    provenance.write_dataset_description(tmp_path, "Measurements", [source])
    done = subprocess.run([validator, "--json", str(tmp_path)], capture_output=True, text=True, check=False)
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert "SUBJECT_FOLDERS" in [issue["code"] for issue in issues]  # it did look: there are none yet
    assert [issue for issue in issues if issue["severity"] == "error"] == []
