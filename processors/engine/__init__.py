"""The engine: frames of raw records in, results out. Pure: no I/O, no clock, no log.

Reading order: `decode` (bytes to readings, or a reason),
`seen` (the same reading twice counts once), `kernel` (judge, fold, test: compiled), `results`
(buffers to store rows and sentences), `state` (rows of the topic `state`), `partition` (all of it
together for one partition).
"""

from processors.engine.partition import Partition
from processors.engine.policy import Policy

__all__ = ["Partition", "Policy"]
