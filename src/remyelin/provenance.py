"""What ran on what: versions, hashes of settings and inputs, and the description that BIDS asks for."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from remyelin import files
from remyelin.errors import InputError

BIDS_VERSION = "1.10.0"
_SOURCE_KEYS = ("URL", "DOI", "Version")


def versions() -> dict[str, str]:
    """Versions of remyelin, of Python, and of every library that remyelin always needs, by name.

    Examples
    --------
    >>> list(versions())[:3]
    ['remyelin', 'python', 'cyclopts']
    """
    needed = [item for item in metadata.requires("remyelin") or [] if "extra ==" not in item]
    names = sorted({re.split(r"[^A-Za-z0-9_.-]", item)[0] for item in needed}, key=str.lower)
    own = {"remyelin": metadata.version("remyelin"), "python": platform.python_version()}
    return own | {name: metadata.version(name) for name in names}


def settings_hash(settings: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, of settings and of the version of remyelin that they are used with.

    The order of keys does not matter, and a tuple equals a list. Values are those of JSON; anything else (a
    path, say, which would make the hash depend on the machine) and NaN raise TypeError or ValueError.

    Examples
    --------
    >>> settings_hash({"a": 1, "b": [2, 3]}) == settings_hash({"b": (2, 3), "a": 1})
    True
    """
    content = {"remyelin": metadata.version("remyelin"), "settings": dict(settings)}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def input_hashes(paths: Iterable[Path], root: Path) -> dict[str, str]:
    """SHA-256 of each input by its name relative to the dataset, in the order of the names.

    Raises
    ------
    InputError
        A file that `files.safe_file` refuses.
    """
    hashes = {files.relative(path, root): files.sha256(files.safe_file(path, root)) for path in paths}
    return dict(sorted(hashes.items()))


def generated_by() -> list[dict[str, str]]:
    """The value of GeneratedBy in a BIDS dataset_description.json, with the versions in its description."""
    own, *libraries = versions().items()
    with_words = ", ".join(f"{name} {version}" for name, version in libraries)
    return [{"Name": own[0], "Version": own[1], "Description": f"with {with_words}"}]


def made_by_us(dataset: Path) -> list[dict[str, str]]:
    """What this package says of itself in the GeneratedBy of a dataset: virtual recordings say so there.

    Empty for recordings of people, and where the description is absent or cannot be read. What other
    programs wrote there is left behind, for it may name a person or a place.
    """
    path = dataset / "dataset_description.json"
    try:
        makers = files.read_json(path, dataset).get("GeneratedBy", []) if path.is_file() else []
    except InputError:
        return []
    listed = [maker for maker in makers if isinstance(maker, dict)] if isinstance(makers, list) else []
    ours = [maker for maker in listed if str(maker.get("Name", "")).startswith("remyelin ")]
    return [{key: str(maker.get(key, "")) for key in ("Name", "Version", "Description")} for maker in ours]


def write_dataset_description(
    out: Path,
    name: str,
    sources: Sequence[Mapping[str, str]] = (),
    makers: Sequence[Mapping[str, str]] = (),
) -> Path:
    """Write the dataset_description.json of a BIDS derivative; the same bytes on any day, in any folder.

    Parameters
    ----------
    out
        The output folder.
    name
        What the derivative is called.
    sources
        SourceDatasets of BIDS: each with some of URL (of the web), DOI and Version.
    makers
        Entries of GeneratedBy after our own: what made the recordings (`made_by_us`).

    Raises
    ------
    InputError
        A source with another key, or a URL that is a path of this machine.
    """
    for source in sources:
        _check_source(source)
    content: dict[str, Any] = {
        "Name": name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [*generated_by(), *(dict(maker) for maker in makers)],
    }
    if sources:
        content["SourceDatasets"] = [dict(source) for source in sources]
    path = out / "dataset_description.json"
    files.atomic_write(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())
    return path


def _check_source(source: Mapping[str, str]) -> None:
    for key, value in source.items():
        if key not in _SOURCE_KEYS:
            expected = "described by URL, DOI or Version"
            raise InputError("", "source dataset", f"described by {key!r}", expected, "rename the key")
        if key == "URL" and not re.match(r"(https?|s3|ftp)://", value):
            fix = "give the address that others can reach, the DOI, or nothing"
            raise InputError("", "URL of the source dataset", repr(value), "an address on the web", fix)
