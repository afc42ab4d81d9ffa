"""How the estimator's inner loops are compiled.

Numba keeps compiled code on disk, but it looks only at the file of the function itself: neither a
changed constant nor a changed function that it calls is noticed, and stale code then reads the
wrong columns. So the cache has a folder for each state of the sources.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

_ROOT = Path(__file__).parent
_SOURCES = ("rhythm/*.py", "deviations/*.py", "engine/kernel/*.py")


def _state_of_the_sources() -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    for pattern in _SOURCES:
        for path in sorted(_ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


# A variable of the environment (NUMBA_CACHE_DIR) still wins: read-only installations need one.
config: Any = numba.config
if not config.CACHE_DIR:
    config.CACHE_DIR = str(_ROOT / "__pycache__" / f"compiled-{_state_of_the_sources()}")

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile to machine code: no Python objects inside, division by zero gives inf or NaN."""
    return cast(F, numba.njit(cache=True, error_model="numpy", nogil=True)(function))
