"""The compiled part of the engine: one frame's readings through the estimator.

Reading order: `frame` (a frame, reading by reading), `readings` (what one reading does), `clock`
(what the time that passes does), `half_hours` (what is published and tested at a half hour's end),
`buffers` (where it is written).
"""

from processors.engine.kernel.buffers import buffers
from processors.engine.kernel.frame import run, settle, watch

__all__ = ["buffers", "run", "settle", "watch"]
