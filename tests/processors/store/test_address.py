"""Addresses of stores: what they open, and what is said about the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from processors.store import open_store
from processors.store.influx import InfluxStore
from processors.store.memory import MemoryStore
from schemas.errors import StoreRefused
from schemas.measurements import PROFILE


def test_sqlite_relative_and_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url, path in (
        ("sqlite:///relative.db", tmp_path / "relative.db"),
        (f"sqlite:///{tmp_path}/absolute.db", tmp_path / "absolute.db"),
        ("sqlite:///with%20space.db", tmp_path / "with space.db"),
    ):
        store = open_store(url)
        assert store.select(PROFILE) == []
        store.close()
        assert path.is_file()


def test_memory() -> None:
    assert isinstance(open_store("memory:"), MemoryStore)


def test_influx_is_not_contacted_by_opening() -> None:
    store = open_store("http://127.0.0.1:1?org=o&bucket=b", "secret")
    assert isinstance(store, InfluxStore)
    store.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgres://user:hunter2@host/db", "unknown kind of store 'postgres:'"),
        ("store.db", "unknown kind of store"),
        ("", "unknown kind of store"),
        ("memory:x", "unknown kind of store"),
        ("sqlite://store.db", "names no SQLite file"),
        ("sqlite:///", "names no SQLite file"),
        ("sqlite:///:memory:", "names no SQLite file"),
        ("sqlite:///a.db?mode=ro", "names no SQLite file"),
        ("http://host:8086", "exactly host, org and bucket"),
        ("http://host:8086?org=o", "exactly host, org and bucket"),
        ("http://?org=o&bucket=b", "exactly host, org and bucket"),
        ("http://host?org=o&bucket=b&token=hunter2", "exactly host, org and bucket"),
        ("http://user:hunter2@host?org=o&bucket=b", "exactly host, org and bucket"),
        ("http://host:port?org=o&bucket=b", "malformed"),
        ("http://[::1?org=o&bucket=b", "malformed"),
    ],
)
def test_other_addresses_are_refused_with_the_right_forms(url: str, says: str) -> None:
    with pytest.raises(StoreRefused, match=says) as caught:
        open_store(url, "token")
    assert "sqlite:///relative.db" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_influx_without_a_token() -> None:
    with pytest.raises(StoreRefused, match="needs a token"):
        open_store("http://host:8086?org=o&bucket=b")
