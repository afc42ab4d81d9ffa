"""``python -m benchmarks [kernel|worker|latency|cosinor|all]``."""

from __future__ import annotations

import argparse

from benchmarks import cosinor, kernel, latency, worker
from benchmarks.machine import describe

_BENCHMARKS = {
    "kernel": kernel.main,
    "worker": worker.main,
    "latency": latency.main,
    "cosinor": cosinor.main,
}


def main() -> None:
    """Describe the machine and run what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure Acrophase beside its peers. worker and latency start an Apache Kafka "
        "(Java and Maven), or use ACROPHASE_TEST_KAFKA=HOST:PORT and make its Acrophase topics "
        "anew; worker also writes to ACROPHASE_TEST_INFLUX (with ACROPHASE_TEST_INFLUX_TOKEN). "
        "cosinor installs CosinorPy into .venv-cosinorpy.",
    )
    parser.add_argument("which", nargs="?", default="all", choices=(*_BENCHMARKS, "all"))
    which = parser.parse_args().which
    print(describe(), flush=True)
    for name, run in _BENCHMARKS.items():
        if which in (name, "all"):
            run()


if __name__ == "__main__":
    main()
