"""How Grafana says what the store has in codes: a symbol, a word, and a colour beside them.

The words are those of the live page, so that a team reads one language.
"""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.grafana import palette
from dashboards.page.words import KINDS, SEVERITIES, SILENT, STATUSES, Sign

_TONES = {"major": palette.MAJOR, "moderate": palette.MODERATE, "minor": palette.MINOR}
_STATUS_COLOURS = {
    "established": palette.CURVE,
    "emerging": palette.THIRD,
    "level-only": palette.REFERENCE,
    "arrhythmic": palette.SECOND,
    "insufficient": palette.NO_DATA,
    "stale": palette.NO_DATA,
}
_STATES = {"open": "● Open", "resolved": "○ Resolved"}
_DIRECTIONS = {
    "higher": "▲ higher",
    "lower": "▼ lower",
    "later": "▶ later",
    "earlier": "◀ earlier",
    "lost": "≈ lost",
    "silent": f"{SILENT.symbol} silent",
}

Said = dict[str, object]


def severities() -> Said:
    """Value mapping of severities; the only one with alarm colours."""
    return _mapping({name: said(sign) for name, sign in SEVERITIES.items()}, _TONES)


def statuses() -> Said:
    """Value mapping of how far a rhythm can be believed."""
    return _mapping({name: said(sign) for name, sign in STATUSES.items()}, _STATUS_COLOURS)


def kinds() -> Said:
    """Value mapping of what departs from what."""
    return _mapping(KINDS, {})


def directions() -> Said:
    """Value mapping of which way."""
    return _mapping(_DIRECTIONS, {})


def references() -> Said:
    """Value mapping of where a value lies in its reference interval."""
    return _mapping({"above": "▲ above", "below": "▼ below", "within": "within"}, {})


def states() -> Said:
    """Value mapping of where an alert stands."""
    return _mapping(_STATES, {"resolved": palette.NO_DATA})


def said(sign: Sign) -> str:
    """Symbol and word."""
    return f"{sign.symbol} {sign.word}"


def _mapping(texts: Mapping[str, str], colours: Mapping[str, str]) -> Said:
    options: dict[str, object] = {}
    for index, (value, text) in enumerate(texts.items()):
        result: dict[str, object] = {"text": text, "index": index}
        if value in colours:
            result["color"] = colours[value]
        options[value] = result
    return {"type": "value", "options": options}
