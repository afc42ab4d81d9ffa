#!/usr/bin/env python3
"""Fetches Apache Kafka with Maven and runs one node of it (KRaft) in the foreground.

    python3 tools/kafka/run.py [--port 9092] [--dir FOLDER]

Needs Java 17 or newer and Maven, no Docker. Listens on 127.0.0.1 only. The process becomes the
broker itself, so ending it by its id ends the broker. Data live in ``--dir``; a broker started
again on the same folder goes on with them. Standard library only: it runs before any install.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
JARS = HERE / "target" / "jars"
CLUSTER_ID = "QWNyb3BoYXNlLUthZmthLQ"  # any 16 bytes in base64; fixed, since the node is alone


def stop(message: str) -> NoReturn:
    """End with one clear line."""
    sys.exit(f"error: {message}")


def program(name: str, purpose: str) -> str:
    """Path of a program that must be installed."""
    found = shutil.which(name)
    if found is None:
        stop(f"{name} is not installed; it is needed to {purpose}")
    return found


def fetch() -> None:
    """Bring Kafka's jars to ``target/jars``, unless they are there and newer than the pom.

    One process at a time: nodes that are started together would delete each other's jars.
    """
    JARS.parent.mkdir(exist_ok=True)
    with (JARS.parent / "fetching").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        _fetch()


def _fetch() -> None:
    stamp = JARS / ".complete"
    pom = HERE / "pom.xml"
    if stamp.exists() and stamp.stat().st_mtime >= pom.stat().st_mtime:
        return
    # Two versions of one jar on the class path would be worse than fetching all again.
    shutil.rmtree(JARS, ignore_errors=True)
    maven = program("mvn", "fetch Apache Kafka (Debian: apt-get install maven)")
    command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
    if subprocess.run(command, stdout=sys.stderr).returncode != 0:
        stop("Maven could not fetch Apache Kafka; its own message stands above")
    stamp.touch()


def free_port() -> int:
    """A port that nothing listens on now; the controller's listener is nobody else's business."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def properties(port: int, folder: Path) -> str:
    """The node's ``server.properties``."""
    controller = free_port()
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "log.dirs": str(folder / "log"),
        # One node has nobody to copy to.
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "offsets.topic.num.partitions": "4",
        # A group of one should not wait three seconds for company.
        "group.initial.rebalance.delay.ms": "0",
        # A misspelt topic must be an error, not a new topic with one partition.
        "auto.create.topics.enable": "false",
        # As `schemas.topics` allows for inputs.
        "message.max.bytes": str(16 * 1_048_576),
        "replica.fetch.max.bytes": str(16 * 1_048_576),
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def main() -> NoReturn:
    """Fetch, format if new, and become the broker."""
    parser = argparse.ArgumentParser(description="Run one node of Apache Kafka in the foreground.")
    parser.add_argument("--port", type=int, default=9092, help="port to listen on (9092)")
    parser.add_argument(
        "--dir",
        type=Path,
        default=HERE / "target" / "data",
        help="folder for the data (tools/kafka/target/data)",
    )
    arguments = parser.parse_args()
    folder: Path = arguments.dir.resolve()
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", arguments.port)) == 0:
            stop(f"port {arguments.port} is taken; choose another with --port")

    fetch()
    java = program("java", "run Apache Kafka (Java 17 or newer)")
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "server.properties"
    config.write_text(properties(arguments.port, folder), encoding="utf-8")
    base = [
        java,
        "-Xmx512m",
        f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}",
        "-cp",
        f"{JARS}/*",
    ]
    formatting = [
        *base,
        "kafka.tools.StorageTool",
        "format",
        "--ignore-formatted",
        "--cluster-id",
        CLUSTER_ID,
        "--config",
        str(config),
    ]
    done = subprocess.run(formatting, capture_output=True, text=True)
    if done.returncode != 0:
        stop(f"Kafka could not format {folder}:\n{done.stdout}{done.stderr}")
    print(f"Apache Kafka on 127.0.0.1:{arguments.port}, data in {folder}", flush=True)
    os.execv(java, [*base, "kafka.Kafka", str(config)])


if __name__ == "__main__":
    main()
