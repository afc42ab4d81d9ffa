"""The ceiling: what aiokafka and ``json.loads`` reach when nothing is done with the records.

python -m benchmarks.bare_aiokafka BOOTSTRAP TOPIC GROUP
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from aiokafka import AIOKafkaConsumer


async def consume(bootstrap: str, topic: str, group: str) -> None:
    """Fetch, decode, commit each second; until ended."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=1_048_576,
    )
    await consumer.start()
    total = 0.0
    committed = time.monotonic()
    try:
        while True:
            frames = await consumer.getmany(timeout_ms=200)
            for records in frames.values():
                for record in records:
                    reading = json.loads(record.value)
                    total += reading.get("value", 0.0)
            if not frames or time.monotonic() - committed >= 1.0:
                await consumer.commit()
                committed = time.monotonic()
    finally:
        await consumer.stop()


if __name__ == "__main__":
    asyncio.run(consume(*sys.argv[1:]))
