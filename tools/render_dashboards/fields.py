"""Settings of a panel's fields as Grafana resolves them, and how it says a value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tools.render_dashboards.asking import Frame, Json

_SECONDS = ((86_400 * 7, "weeks"), (86_400, "days"), (3_600, "hours"), (60, "mins"), (1, "s"))


@dataclass(frozen=True)
class Theme:
    """Colours of Grafana's own themes, as far as a panel needs them."""

    name: str
    ground: str
    panel: str
    text: str
    muted: str
    grid: str
    link: str


LIGHT = Theme("light", "#f4f5f5", "#ffffff", "#24292e", "#6e7781", "#e3e4e6", "#1f62e0")
DARK = Theme("dark", "#111217", "#181b1f", "#ccccdc", "#9a9ba8", "#2c2f36", "#6e9fff")


class Field:
    """One column of one panel: its defaults and overrides together."""

    def __init__(self, panel: Json, name: str, now: datetime) -> None:
        config = panel["fieldConfig"]
        self._defaults: Json = config["defaults"]
        self._now = now
        self.name = name
        self.own: Json = {}
        for override in config["overrides"]:
            if override["matcher"]["options"] == name:
                self.own |= {each["id"]: each["value"] for each in override["properties"]}

    @property
    def named(self) -> bool:
        """Whether the panel says anything of this field."""
        return bool(self.own)

    @property
    def label(self) -> str:
        """What people read."""
        return str(self.own.get("displayName", self.name))

    def setting(self, key: str, default: Any = None) -> Any:
        """An override, or the panel's default; ``custom.`` is what the kind of panel adds."""
        if key in self.own:
            return self.own[key]
        if key.startswith("custom."):
            return self._defaults.get("custom", {}).get(key.removeprefix("custom."), default)
        return self._defaults.get(key, default)

    def colour(self, value: Any, theme: Theme) -> str:
        """Of a value: by its mapping, by the field's fixed colour, by thresholds."""
        mapped = self._mapped(value).get("color")
        chosen = self.own.get("color", {}).get("fixedColor")
        if mapped or chosen:
            return named_colour(str(mapped or chosen), theme)
        colour = "text"
        for step in self.setting("thresholds", {}).get("steps", []):
            at = step.get("value")
            if at is None or (isinstance(value, int | float) and value >= at):
                colour = step["color"]
        return named_colour(colour, theme)

    def say(self, value: Any) -> str:
        """A value as Grafana writes it."""
        if value is None:
            return ""
        mapped = self._mapped(value)
        if "text" in mapped:
            return str(mapped["text"])
        unit = str(self.setting("unit", "none"))
        if isinstance(value, datetime):
            return self._time(value, unit)
        if isinstance(value, str):
            return value
        return number(float(value), unit, self.setting("decimals"))

    def _mapped(self, value: Any) -> Json:
        found: Json = {}
        for mapping in self.setting("mappings", []):
            found |= mapping["options"].get(str(value), {})
        return found

    def _time(self, value: datetime, unit: str) -> str:
        if unit == "dateTimeFromNow":
            return f"{_span((self._now - value).total_seconds())} ago"
        if unit == "time:YYYY-MM-DD":
            return f"{value:%Y-%m-%d}"
        return f"{value:%Y-%m-%d %H:%M}"


def fields(panel: Json, frame: Frame, now: datetime) -> list[Field]:
    """The frame's fields in the order that the panel gives them."""
    order: dict[str, int] = {}
    for step in panel.get("transformations", []):
        order |= step["options"].get("indexByName", {})
    names = sorted(frame, key=lambda name: order.get(name, len(order)))
    return [Field(panel, name, now) for name in names]


def named_colour(colour: str, theme: Theme) -> str:
    """A colour of the palette; ``text`` is the theme's own."""
    return theme.text if colour == "text" else colour


def number(value: float, unit: str, decimals: float | None) -> str:
    """A number in one of the units that the dashboards use; raises ``KeyError`` for others."""
    if unit == "s":
        return _span(value)
    if unit == "percentunit":
        return f"{value * 100:.{int(decimals or 0)}f}%".replace("-", "−")
    suffix = re.match(r"suffix:(.*)", unit)
    if suffix is None and unit not in ("none", "short"):
        raise KeyError(unit)
    text = f"{value:.{int(decimals)}f}" if decimals is not None else f"{value:.4g}"
    return (text + (suffix[1] if suffix else "")).replace("-", "−")


def _span(seconds: float) -> str:
    for length, word in _SECONDS:
        if abs(seconds) >= length:
            return f"{seconds / length:.3g} {word}"
    return f"{seconds:.2g} s"
