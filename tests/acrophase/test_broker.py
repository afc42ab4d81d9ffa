"""The embedded broker: it answers, says so when it cannot, and outlives nobody."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import psutil
import pytest

from acrophase.broker import EmbeddedBroker, answers
from schemas.errors import BrokerUnavailable
from tests.processes import wait_until


def test_it_answers_until_it_is_closed() -> None:
    with EmbeddedBroker() as broker:
        assert broker.address == f"127.0.0.1:{broker.port}"
        assert answers("127.0.0.1", broker.port)
        broker.require_alive()
        process = psutil.Process(broker.pid)
    assert not process.is_running()
    assert not answers("127.0.0.1", broker.port)
    broker.close()
    with pytest.raises(BrokerUnavailable, match="closed"):
        broker.require_alive()
    with pytest.raises(BrokerUnavailable, match="closed"):
        broker.pid  # noqa: B018 - a property that raises


def test_a_taken_port_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert not answers("127.0.0.1", port, timeout_s=0.1)
        with pytest.raises(BrokerUnavailable, match=f"port {port} .*--port"):
            EmbeddedBroker(port)


def test_a_given_port_is_used_again_at_once() -> None:
    with EmbeddedBroker() as broker:
        port = broker.port
    with EmbeddedBroker(port) as again:
        assert again.port == port


def test_a_broker_that_died_is_noticed() -> None:
    with EmbeddedBroker() as broker:
        psutil.Process(broker.pid).kill()

        def noticed() -> bool:
            try:
                broker.require_alive()
            except BrokerUnavailable as error:
                return "has ended" in str(error)
            return False

        wait_until(noticed, "the broker's end to be noticed", 10)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a parent's death")
def test_it_dies_with_its_parent() -> None:
    code = (
        "import sys, time; from acrophase.broker import EmbeddedBroker\n"
        "print(EmbeddedBroker().pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        broker = psutil.Process(int(parent.stdout.readline()))
        assert broker.ppid() == parent.pid != os.getpid()
        parent.kill()
    gone, _ = psutil.wait_procs([broker], timeout=10)
    assert gone
