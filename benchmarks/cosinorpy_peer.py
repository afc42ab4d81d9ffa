"""CosinorPy's share of `benchmarks.cosinor`, run in an environment of its own.

Reads one JSON object a line, {"hours": [...], "values": [...]}, and answers with one: seconds of
the fastest fit, wall clock and processor, and what it found.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from importlib import import_module

ROUNDS = 30


def main() -> None:
    """Answer line by line."""
    # Deprecations within the peer are none of ours, and warnings take time to print.
    warnings.simplefilter("ignore")
    # It imports matplotlib, which looks for a screen.
    import_module("matplotlib").use("Agg")
    fit_cosinor = import_module("CosinorPy.cosinor1").fit_cosinor
    array = import_module("numpy").array
    for line in sys.stdin:
        series = json.loads(line)
        hours, values = array(series["hours"]), array(series["values"])
        fit_cosinor(hours, values, 24, plot_on=False)
        wall = core = float("inf")
        for _ in range(ROUNDS):
            started, worked = time.perf_counter(), time.thread_time()
            results, amplitude, acrophase, _ = fit_cosinor(hours, values, 24, plot_on=False)
            wall = min(wall, time.perf_counter() - started)
            core = min(core, time.thread_time() - worked)
        answer = {
            "wall": wall,
            "core": core,
            "amplitude": float(amplitude),
            "acrophase": float(acrophase),
            "f": float(results.fvalue),
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
