"""Tables of a data file to records: each sound, each id once, and each id that is named resolves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from remyelin.errors import InputError, did_you_mean
from remyelin.protocol.messages import first_fault

from .claim import Record
from .kinds import KINDS
from .outcome import RATIOS, Endpoint, Result
from .quantity import parameter_id

IdsOf = Callable[[str], Collection[str]]
"""The ids that the package has of a kind."""


def checked(kind: str, content: Mapping[str, Any], file: str, ids: IdsOf) -> tuple[Any, ...]:
    """The records of a kind in the order of their file.

    Raises
    ------
    InputError
        At the first fault, by file and field.
    """
    made: dict[str, Record] = {}
    for place, row in _rows(kind, content, file):
        record = _record(KINDS[kind], row, file, place)
        if record.id in made:
            found = f"a second record of {kind} with the id '{record.id}'"
            raise InputError(file, place, found, "one record for each id", "rename or qualify one of the two")
        made[record.id] = record
    for record in made.values():
        _resolve(record, file, ids)
    return tuple(made.values())


def check_units(results: Iterable[Result], endpoints: Mapping[str, Endpoint], file: str) -> None:
    """Refuse a result in another unit than its endpoint; a ratio and a standardised effect have none.

    Raises
    ------
    InputError
        By file, record and field.
    """
    for result in results:
        endpoint = endpoints[result.endpoint]
        without = result.scale == "standardised" or result.scale in RATIOS
        unit = "1" if without else endpoint.unit
        if result.unit != unit:
            expected = f"'{unit}', that of {endpoint.id}"
            given = "without a unit" if unit == "1" else f"in {unit}"
            fix = f"give its numbers {given}, or name an endpoint in {result.unit}"
            if without:
                expected = f"'1': {result.scale} has no unit"
                fix = 'write unit = "1", or correct scale'
            raise InputError(file, f"{result.id} unit", f"'{result.unit}'", expected, fix)


def row_ids(kind: str, content: Mapping[str, Any]) -> Iterator[str]:
    """The ids of rows that are not checked yet; a parameter of a list gets its own from its qualifiers."""
    for name, row in content.items():
        if kind == "parameters" and isinstance(row, list):
            yield from (parameter_id(each) for each in row if isinstance(each, Mapping))
        else:
            yield name


def _rows(kind: str, content: Mapping[str, Any], file: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each record with its place: a table that its id names; parameters, which have none, are a list."""
    if kind == "parameters" and isinstance(listed := content.get("parameter"), list):
        for number, row in enumerate(listed, start=1):
            name = row.get("name", "") if isinstance(row, Mapping) else ""
            yield f"parameter[{number}] {name}".rstrip(), _table(row, file, f"parameter[{number}]")
        content = {key: value for key, value in content.items() if key != "parameter"}
    for name, row in content.items():
        yield name, {"id": name, **_table(row, file, name)}


def _table(row: object, file: str, place: str) -> Mapping[str, Any]:
    if isinstance(row, Mapping):
        return row
    raise InputError(
        file, place, f"{row!r:.60}", "a table", f"write [{place}] with the fields of a record below it"
    )


def _record(model: type[Record], row: Mapping[str, Any], file: str, place: str) -> Record:
    try:
        return model.model_validate(_frozen(row))
    except ValidationError as error:
        field, found, expected, fix = first_fault(error, model, whole="")
        raise InputError(file, f"{place} {field}".rstrip(), found, expected, fix) from None


def _frozen(value: Any) -> Any:
    """The same with tuples for lists: the models are strict."""
    if isinstance(value, Mapping):
        return {key: _frozen(item) for key, item in value.items()}
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _resolve(record: Record, file: str, ids: IdsOf) -> None:
    for field, kinds, name in record.references():
        kind, _, wanted = name.rpartition("/")
        kinds = kinds if kinds != "any" else kind
        known = [ids(each) for each in kinds.split(" or ") if each in KINDS]
        if not any(wanted in each for each in known):
            expected = f"an id of {kinds}" if kinds else "kind/id of a record"
            fix = did_you_mean(wanted, sorted(one for each in known for one in each))
            raise InputError(file, f"{record.id} {field}", f"'{name}'", expected, fix)
