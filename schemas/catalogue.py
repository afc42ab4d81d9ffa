"""The analyte catalogue: what Acrophase knows about each thing it measures.

The data stand in ``catalogue/*.toml``, one file an axis, to be read and extended by people; this
module reads them in the order of their names and proves at load that they are complete and agree
with each other.

Every number in the files has a ``source`` in the same table. Loading takes the sources out of the
tables into ``Analyte.sources``, so that in code a number is a plain number:
``molar_mass = { value = 362.46, source = "..." }`` is ``analyte.molar_mass == 362.46`` and
``analyte.sources["molar_mass"]``.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from pydantic import ValidationError

from schemas.analytes import Analyte, Scale
from schemas.errors import CatalogueError, Reason, RejectedRecord

__all__ = [
    "Analyte",
    "Catalogue",
    "Scale",
    "catalogue_files",
    "load_catalogue",
    "parse_catalogue",
]


class Catalogue:
    """All analytes, in the order of the files."""

    def __init__(self, analytes: tuple[Analyte, ...]) -> None:
        self._by_slug = {analyte.slug: analyte for analyte in analytes}
        self._by_code: dict[str, Analyte] = {}
        for analyte in analytes:
            for code in analyte.codes:
                other = self._by_code.setdefault(code.code, analyte)
                if other is not analyte:
                    raise CatalogueError(
                        f"{analyte.slug}: codes: {code.code} already belongs to {other.slug}"
                    )

    def __iter__(self) -> Iterator[Analyte]:
        return iter(self._by_slug.values())

    def __len__(self) -> int:
        return len(self._by_slug)

    def __contains__(self, slug: object) -> bool:
        return slug in self._by_slug

    def __getitem__(self, slug: str) -> Analyte:
        """The analyte of a slug; raises ``CatalogueError`` that names similar slugs."""
        try:
            return self._by_slug[slug]
        except KeyError:
            near = difflib.get_close_matches(slug, self._by_slug, cutoff=0.5) or self._by_slug
            raise CatalogueError(
                f"no analyte {slug!r} in the catalogue; there is {', '.join(near)}"
            ) from None

    def by_code(self, code: str) -> Analyte:
        """The analyte of a code; raises ``RejectedRecord`` (``UNKNOWN_CODE``)."""
        try:
            return self._by_code[code]
        except KeyError:
            near = difflib.get_close_matches(code, self._by_code, n=3, cutoff=0.7)
            known = [f"{other} is {self._by_code[other].short_name}" for other in near]
            raise RejectedRecord(
                Reason.UNKNOWN_CODE,
                f"code {code!r} belongs to no analyte of the catalogue; "
                + ("; ".join(known) or f"it knows {len(self._by_code)} codes, none like it"),
            ) from None


@cache
def load_catalogue() -> Catalogue:
    """The built-in catalogue; raises ``CatalogueError`` that names the entry and the field."""
    return parse_catalogue(catalogue_files())


def catalogue_files() -> dict[str, str]:
    """Names and texts of the built-in files, in order."""
    folder = resources.files("schemas").joinpath("catalogue")
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {file.name: file.read_text("utf-8") for file in files if file.name.endswith(".toml")}


def parse_catalogue(files: Mapping[str, str]) -> Catalogue:
    """Read a catalogue from TOML texts by file name, in order; raises ``CatalogueError``.

    ``[sampling.*]`` of any file serves the analytes of all files.
    """
    documents = {name: _read(name, text) for name, text in files.items()}
    groups: dict[str, Any] = {}
    for name, document in documents.items():
        for group, fields in document.get("sampling", {}).items():
            if group in groups:
                raise CatalogueError(f"{name}: sampling.{group} stands in another file already")
            groups[group] = fields
    analytes: dict[str, Analyte] = {}
    for name, document in documents.items():
        for slug, entry in document.get("analyte", {}).items():
            if slug in analytes:
                raise CatalogueError(f"{name}: analyte.{slug} stands in another file already")
            if "axis" not in document:
                raise CatalogueError(f"{name}: axis: analytes need the name of their axis")
            analytes[slug] = _analyte(slug, {"axis": document["axis"], **entry}, groups)
    return Catalogue(tuple(analytes.values()))


def _read(name: str, text: str) -> dict[str, Any]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{name} is not TOML: {error}") from error
    unknown = set(document) - {"axis", "sampling", "analyte"}
    if unknown:
        raise CatalogueError(
            f"{name}: unknown tables {sorted(unknown)}; use axis, [sampling.*] and [analyte.*]"
        )
    return document


def _analyte(slug: str, entry: dict[str, Any], groups: dict[str, Any]) -> Analyte:
    group = entry.get("sampling")
    if group not in groups:
        raise CatalogueError(f"{slug}: sampling: {group!r} is none of {', '.join(groups)}")
    sources: dict[str, str] = {}
    fields = _take_sources(slug, {**groups[group], **entry}, "", sources)
    try:
        return Analyte.model_validate({"slug": slug, **fields, "sources": sources})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise CatalogueError(f"{slug}: {field + ': ' if field else ''}{message}") from None


# Whole numbers that say how to show a thing, and the number of fitted harmonics, are choices of
# ours, not findings.
_CHOICES = frozenset({"decimals", "components"})


def _take_sources(slug: str, node: Any, path: str, sources: dict[str, str]) -> Any:
    """`node` without its ``source`` entries, which go to `sources` by dotted path."""
    if isinstance(node, list):
        return [_take_sources(slug, n, f"{path}.{i}", sources) for i, n in enumerate(node)]
    if not isinstance(node, dict):
        return node
    source = node.get("source")
    if source is not None:
        if not isinstance(source, str) or not source.strip():
            raise CatalogueError(f"{slug}: {path}: source must say where the number is from")
        sources[path] = source
    content = {key: value for key, value in node.items() if key != "source"}
    for key, value in content.items():
        where = f"{path}.{key}" if path else key
        numbers = value if isinstance(value, list) else [value]
        if (
            source is None
            and where not in _CHOICES
            and any(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers)
        ):
            raise CatalogueError(f"{slug}: {where}: number without a source beside it")
    if set(content) == {"value"}:
        return content["value"]
    return {
        key: _take_sources(slug, value, f"{path}.{key}" if path else key, sources)
        for key, value in content.items()
    }
