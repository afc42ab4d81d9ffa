"""Units: from whatever UCUM unit a value comes in to the analyte's own unit.

A conversion is always ``canonical = value * scale + offset``, so it is worked out once for each
(unit, canonical unit, molar mass) and is two floating-point operations afterwards.

Everyday units stand in a table. All others are read by ucumvert into pint, which takes about two
seconds to load and is therefore imported on the first unit outside the table; a test holds the
table against it. International units have a dimension of their own here (pint counts them as
plain numbers): no mass and no cell count converts to them.
"""

from __future__ import annotations

import math
import re
from functools import cache, lru_cache
from typing import Any, NamedTuple

from schemas.errors import CatalogueError, Reason, RejectedRecord

KELVIN_AT_0_CELSIUS = 273.15

_MASS_DENSITY = "[mass] / [length] ** 3"
_MOLARITY = "[substance] / [length] ** 3"
ACTIVITY = "1 / [length] ** 3 * [international unit]"


class UnitScale(NamedTuple):
    """A unit in SI base units: ``base = number * factor + offset`` (gram instead of kilogram)."""

    dimension: str
    factor: float
    offset: float = 0.0


class Conversion(NamedTuple):
    """``canonical = value * scale + offset``."""

    scale: float
    offset: float

    def then(self, second: Conversion) -> Conversion:
        """This conversion and `second` after it, as one."""
        return Conversion(
            _tidy(self.scale * second.scale), self.offset * second.scale + second.offset
        )


def _everyday() -> dict[str, UnitScale]:
    table = {
        "K": UnitScale("[temperature]", 1.0),
        "Cel": UnitScale("[temperature]", 1.0, KELVIN_AT_0_CELSIUS),
        "[degF]": UnitScale("[temperature]", 5 / 9, KELVIN_AT_0_CELSIUS - 32 * 5 / 9),
        "/min": UnitScale("1 / [time]", 1 / 60),
        "{beats}/min": UnitScale("1 / [time]", 1 / 60),
        "{steps}/min": UnitScale("1 / [time]", 1 / 60),
        "{breaths}/min": UnitScale("1 / [time]", 1 / 60),
        "/s": UnitScale("1 / [time]", 1.0),
        "Hz": UnitScale("1 / [time]", 1.0),
        "us": UnitScale("[time]", 1e-6),
        "ms": UnitScale("[time]", 1e-3),
        "s": UnitScale("[time]", 1.0),
        "min": UnitScale("[time]", 60.0),
        "h": UnitScale("[time]", 3600.0),
        "{steps}": UnitScale("dimensionless", 1.0),
        "1": UnitScale("dimensionless", 1.0),
        "%": UnitScale("dimensionless", 0.01),
        "mmol/mol": UnitScale("dimensionless", 0.001),
    }
    prefixes = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12}
    cubic_metres = {"L": 1e-3, "dL": 1e-4, "mL": 1e-6}
    for substance, dimension in (
        ("g", _MASS_DENSITY),
        ("mol", _MOLARITY),
        ("[IU]", ACTIVITY),
    ):
        for prefix, amount in prefixes.items():
            for volume, size in cubic_metres.items():
                table[f"{prefix}{substance}/{volume}"] = UnitScale(dimension, _tidy(amount / size))
    return table


def _tidy(number: float) -> float:
    # Binary dust of a chain of decimal factors: 0.09999999999999999 is 0.1.
    return float(f"{number:.14g}")


EVERYDAY: dict[str, UnitScale] = _everyday()

# Harmless spellings that are not UCUM but can mean one thing only.
ALIASES: dict[str, str] = {
    "bpm": "/min",
    "beats/min": "/min",
    "1/min": "/min",
    "breaths/min": "/min",
    "degC": "Cel",
    "°C": "Cel",
    "℃": "Cel",
    "degF": "[degF]",
    "°F": "[degF]",
    "℉": "[degF]",
    "count": "{steps}",
    "counts": "{steps}",
    "steps": "{steps}",
    "{#}": "{steps}",
    "msec": "ms",
    "IU/L": "[IU]/L",
    "mIU/mL": "m[IU]/mL",
    "mIU/L": "m[IU]/L",
    "uIU/mL": "u[IU]/mL",
}
_MICRO = str.maketrans({"\N{MICRO SIGN}": "u", "\N{GREEK SMALL LETTER MU}": "u"})
_MICROGRAM = re.compile(r"^mcg\b")
_LITRE = re.compile(r"(?<=[/dm])l$")

# ucumvert evaluates powers exactly: "10*999999999" would occupy it for hours. No unit of
# medicine needs more than these.
_LONGEST_UNIT = 32
_ANNOTATION = re.compile(r"^\{[^{}]*\}$")
_HUGE_NUMBER = re.compile(r"\d{4,}|[*^][+-]?\d{3,}")


def spelling(unit: str) -> str:
    """The UCUM spelling of a unit as people write it.

    >>> spelling("µg/dl"), spelling("bpm"), spelling("°C"), spelling("nmol/L")
    ('ug/dL', '/min', 'Cel', 'nmol/L')
    """
    unit = _MICROGRAM.sub("ug", unit.strip().translate(_MICRO))
    return ALIASES.get(unit, _LITRE.sub("L", unit))


def conversion(unit: str, canonical: str, molar_mass: float | None = None) -> Conversion:
    """How a number in `unit` becomes one in `canonical`.

    `molar_mass` (g/mol) lets mass and molar concentrations convert into each other; without it
    they do not. Raises ``RejectedRecord`` (``UNKNOWN_UNIT``), or ``CatalogueError`` if
    `canonical` is no unit.

    >>> conversion("nmol/L", "ug/dL", 362.46).scale
    0.036246
    >>> scale, offset = conversion("[degF]", "Cel")
    >>> round(98.6 * scale + offset, 9)
    37.0
    """
    found = _conversion(unit, canonical, molar_mass)
    if isinstance(found, str):
        raise RejectedRecord(Reason.UNKNOWN_UNIT, found)
    return found


@lru_cache(maxsize=4096)
def _conversion(unit: str, canonical: str, molar_mass: float | None) -> Conversion | str:
    # A refusal is a value here, not an exception, so that it is cached too: a device that sends
    # one bad unit sends it all day.
    if unit == canonical:
        return Conversion(1.0, 0.0)
    source, target = scale_of(unit), scale_of(canonical)
    if source is None:
        return (
            f"{_quoted(unit)} is not a UCUM unit; send {canonical!r}, or a unit that converts to it"
        )
    if target is None:
        raise CatalogueError(f"the unit {canonical!r} to convert to is not UCUM")
    bridge = 1.0
    if source.dimension != target.dimension:
        mass_for_amount = target.dimension.replace("[mass]", "[substance]")
        amount_for_mass = target.dimension.replace("[substance]", "[mass]")
        if molar_mass is not None and source.dimension == mass_for_amount:
            bridge = molar_mass
        elif molar_mass is not None and source.dimension == amount_for_mass:
            bridge = 1 / molar_mass
        else:
            return (
                f"{_quoted(unit)} does not convert to {canonical!r}; "
                f"send {canonical!r}, or a unit that converts to it"
            )
    return Conversion(
        _tidy(source.factor * bridge / target.factor),
        round((source.offset - target.offset) / target.factor, 12),
    )


def scale_of(unit: str) -> UnitScale | None:
    """Dimension and size of a unit; ``None`` if it is not UCUM, not linear or absurdly long."""
    ucum = spelling(unit)
    everyday = EVERYDAY.get(ucum)
    if everyday is not None:
        return everyday
    if len(ucum) > _LONGEST_UNIT or _HUGE_NUMBER.search(ucum):
        return None
    return _read_ucum(ucum)


def _quoted(unit: str) -> str:
    return repr(unit if len(unit) <= _LONGEST_UNIT else unit[:_LONGEST_UNIT] + "…")


def _read_ucum(ucum: str) -> UnitScale | None:
    if _ANNOTATION.match(ucum):
        return EVERYDAY["1"]
    registry = _registry()
    # The unit is a stranger's text: pint and ucumvert answer bad ones with a dozen kinds of
    # exception (parser, registry, offset and logarithmic units, overflow), all meaning "no unit".
    try:
        quantity = registry.from_ucum(ucum)
        dimension = str(quantity.dimensionality)
        number = float(quantity.magnitude)
        zero, one, two = (
            float(registry.Quantity(x * number, quantity.units).to_root_units().magnitude)
            for x in (0, 1, 2)
        )
        international = sum(
            power for name, power in quantity.unit_items() if name.endswith("international_unit")
        )
    except Exception:
        return None
    if not math.isclose(two - one, one - zero, rel_tol=1e-9):
        return None  # logarithmic: bel, pH
    if international:
        dimension += " * [international unit]"
        if international != 1:
            dimension += f" ** {international}"
    return UnitScale(dimension, _tidy(one - zero), zero)


@cache
def _registry() -> Any:
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()
