"""``acrophase dead-letters replay`` that is killed on the way.

``python -m tests.streaming.dying_replay N ARGUMENTS`` sends N records as the command does, waits
until Kafka has them, and dies of SIGKILL.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from acrophase.cli import main
from producers.client import Publisher


def _die_after(records: int) -> None:
    send = Publisher.publish_raw
    left = iter(range(records))

    def publish_raw(self: Publisher, *arguments: Any, **named: Any) -> None:
        if next(left, None) is None:
            self.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        send(self, *arguments, **named)

    Publisher.publish_raw = publish_raw  # type: ignore[method-assign]


if __name__ == "__main__":
    _die_after(int(sys.argv.pop(1)))
    sys.argv[1:1] = ["dead-letters", "replay"]
    main()
