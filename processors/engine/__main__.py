"""``python -m processors.engine``: compile the kernel now rather than at the first reading."""

from __future__ import annotations

import numpy as np

from processors.engine import Partition, Policy
from processors.engine_port import Record
from schemas.catalogue import load_catalogue
from schemas.readings import ReadingBatch
from schemas.topics import READINGS


def compile_kernel() -> None:
    """Take one made-up day through the engine; Numba keeps what it compiles on disk."""
    analyte = load_catalogue()["heart-rate"]
    partition = Partition(0, load_catalogue(), Policy())
    partition.start({READINGS.name: 0})
    batch = ReadingBatch.model_validate_json(
        b'{"schema":1,"subject":"warm-1","device":"none","code":"%s","unit":"/min",'
        b'"collected_at":"2026-01-01T00:00:00+00:00","offsets_ms":%s,"values":%s}'
        % (
            analyte.codes[0].code.encode(),
            str(list(range(0, 86_400_000, 600_000))).encode(),
            str(np.full(144, analyte.prior.mesor).tolist()).encode(),
        )
    )
    value = batch.model_dump_json(by_alias=True, exclude_none=True).encode()
    partition.process([Record(READINGS.name, 0, 0, 1_767_312_000_000, b"warm-1", value)])
    partition.settle()


if __name__ == "__main__":
    compile_kernel()
