"""The machine that the figures were measured on, and the table that they are shown in."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import psutil

_LIBRARIES = (
    "faust-streaming",
    "aiokafka",
    "kafka-python",
    "numba",
    "numpy",
    "pydantic",
    "msgspec",
    "influxdb-client",
)


def describe() -> str:
    """Processor, cores, memory, load and versions; nothing that names the machine."""
    load = psutil.getloadavg()[0]
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return "\n".join(
        (
            f"machine: {_processor()}, {len(psutil.Process().cpu_affinity() or [])} usable of "
            f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.1f} GiB memory, "
            f"load {load:.1f} at the start",
            f"system: {platform.system()} {platform.machine()}, Python {platform.python_version()}",
            f"libraries: {libraries}",
        )
    )


def table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = cells
        padded = [first.ljust(widths[0])]
        padded += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        return "| " + " | ".join(padded) + " |"

    rule = [":" + "-" * (widths[0] - 1), *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join((f"\n{title}\n", line(headings), line(rule), *map(line, rows)))


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for entry in cpuinfo.read_text(encoding="utf-8").splitlines():
            if entry.startswith("model name"):
                return entry.partition(":")[2].strip()
    return platform.processor() or platform.machine()
