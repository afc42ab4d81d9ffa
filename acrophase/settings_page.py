"""``docs/settings.md``: every setting, generated from `acrophase.settings`.

``python -m acrophase.settings_page`` writes it; a test fails when the two have drifted apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from acrophase.settings import CONFIG_VARIABLE, DEFAULT_FILE, PREFIX, Settings

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"

_INTRODUCTION = f"""# Settings

Generated from `acrophase/settings.py` by `python -m acrophase.settings_page`: edit that file.

A flag wins over the environment, the environment over the file, the file over the default. The
file is the one that `--config` (before the command) or `{CONFIG_VARIABLE}` names, or
`{DEFAULT_FILE}` in the working folder. Whatever is unknown or malformed, anywhere, is refused by
name. Each command's `--help` lists the flags that it takes.

```toml
# {DEFAULT_FILE}
bootstrap = "kafka-1:9092,kafka-2:9092"
store = "http://influx:8086?org=clinic&bucket=rhythms"
partitions = 32
alerts_per_person_month = 0.05
```

Tokens belong in the environment (`{PREFIX}STORE_TOKEN`, `{PREFIX}GRAFANA_TOKEN`).
"""


def settings_page() -> str:
    """The page's text (Markdown)."""
    return "\n".join([_INTRODUCTION, *_rows()]) + "\n"


def _rows() -> Iterator[str]:
    yield "| setting | variable | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, field in Settings.model_fields.items():
        default = "none" if field.default is None else f"`{field.default}`"
        yield f"| `{name}` | `{PREFIX}{name.upper()}` | {default} | {field.description} |"


def write(page: Path = PAGE) -> None:
    """Write the page."""
    page.write_text(settings_page(), encoding="utf-8")


if __name__ == "__main__":
    write()
