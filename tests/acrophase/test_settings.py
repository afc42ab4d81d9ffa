"""Settings: which layer wins, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from acrophase.settings import Settings, load_settings
from acrophase.settings_page import PAGE, settings_page, write
from schemas.errors import SettingsError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults_are_the_embedded_stack() -> None:
    settings = load_settings()
    assert settings.bootstrap == "127.0.0.1:9092"
    assert settings.store == "sqlite:///acrophase.db"
    assert settings == Settings()


def test_each_layer_wins_over_the_one_below(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().partitions == 8
    (folder / "acrophase.toml").write_text("partitions = 2\ngroup = 'of-the-file'\n")
    assert load_settings().partitions == 2
    monkeypatch.setenv("ACROPHASE_PARTITIONS", "3")
    assert load_settings().partitions == 3
    assert load_settings(partitions=4).partitions == 4
    assert load_settings(partitions=None).partitions == 3
    assert load_settings(partitions=4).group == "of-the-file"


def test_the_argument_names_the_file_before_the_variable(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "acrophase.toml").write_text("page_port = 1001")
    (folder / "variable.toml").write_text("page_port = 1002")
    (folder / "argument.toml").write_text("page_port = 1003")
    monkeypatch.setenv("ACROPHASE_CONFIG", "variable.toml")
    assert load_settings().page_port == 1002
    assert load_settings(Path("argument.toml")).page_port == 1003


def test_a_named_file_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml does not exist"):
        load_settings(Path("nowhere.toml"))
    monkeypatch.setenv("ACROPHASE_CONFIG", "gone.toml")
    with pytest.raises(SettingsError, match=r"gone\.toml does not exist"):
        load_settings()


@pytest.mark.parametrize("content", [b"partitions = = 2", b"\xff\xfe"])
def test_a_file_that_is_not_toml_is_refused(folder: Path, content: bytes) -> None:
    (folder / "acrophase.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"acrophase\.toml is not valid TOML"):
        load_settings()


def test_a_file_that_cannot_be_read_is_refused(folder: Path) -> None:
    (folder / "acrophase.toml").mkdir()
    with pytest.raises(SettingsError, match=r"acrophase\.toml cannot be read"):
        load_settings()


def test_an_unknown_variable_is_refused_with_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACROPHASE_PARTITION", "3")
    wanted = "ACROPHASE_PARTITION is not a setting; did you mean ACROPHASE_PARTITIONS?"
    with pytest.raises(SettingsError, match=re.escape(wanted)):
        load_settings()


@pytest.mark.parametrize(
    "variable",
    ["ACROPHASE_TEST_KAFKA", "ACROPHASE_REQUIRE_ALL", "ACROPHASE_SHARED_DATA", "ACROPHASEN"],
)
def test_variables_of_others_are_let_be(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "x")
    assert load_settings() == Settings()


def test_an_unknown_key_of_the_file_is_refused_with_a_guess(folder: Path) -> None:
    (folder / "acrophase.toml").write_text("page_prot = 80")
    wanted = "page_prot (file acrophase.toml) is not a setting; did you mean page_port?"
    with pytest.raises(SettingsError, match=re.escape(wanted)):
        load_settings()


def test_an_empty_variable_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACROPHASE_STORE_TOKEN", "")
    assert load_settings().store_token is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bootstrap", "kafka"),
        ("bootstrap", "kafka:0"),
        ("bootstrap", "kafka:65536"),
        ("bootstrap", "kafka:9092,"),
        ("bootstrap", "http://kafka:9092"),
        ("store", "postgres://host/db"),
        ("store", "sqlite://"),
        ("store", "sqlite://relative.db"),
        ("store", "http:///path"),
        ("store", "acrophase.db"),
        ("group", ""),
        ("group", "two words"),
        ("partitions", "eight"),
        ("partitions", 0),
        ("partitions", True),
        ("partitions", 2.5),
        ("page_port", 0),
        ("page_port", 65_536),
        ("page_host", ""),
        ("checkpoint_s", 0),
        ("checkpoint_s", "nan"),
        ("checkpoint_s", "inf"),
        ("session_timeout_s", 5.9),
        ("alerts_per_person_month", 0),
        ("future_tolerance_s", -1),
    ],
)
def test_a_malformed_value_is_refused_by_name(name: str, value: Any) -> None:
    expected = Settings.model_fields[name].description
    assert expected
    with pytest.raises(SettingsError) as refused:
        load_settings(**{name: value})
    text = str(refused.value)
    assert text.startswith(f"setting {name} (command line): {value!r} is not accepted")
    assert text.endswith(f"expected: {expected}")


def test_the_source_of_a_malformed_value_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "acrophase.toml").write_text("page_port = 'http'")
    with pytest.raises(SettingsError, match=r"setting page_port \(file acrophase\.toml\): 'http'"):
        load_settings()
    monkeypatch.setenv("ACROPHASE_PAGE_PORT", "https")
    with pytest.raises(SettingsError, match=r"\(environment variable ACROPHASE_PAGE_PORT\)"):
        load_settings()


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(partitions=0, page_port=0)
    assert "setting partitions" in str(refused.value)
    assert "setting page_port" in str(refused.value)


def test_a_token_is_never_repeated(folder: Path) -> None:
    (folder / "acrophase.toml").write_text("store_token = 20261124")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "20261124" not in str(refused.value)
    assert "store_token" in str(refused.value)
    assert "sesame" not in repr(load_settings_with_token(folder))


def load_settings_with_token(folder: Path) -> Settings:
    (folder / "acrophase.toml").write_text("store_token = 'sesame'")
    settings = load_settings()
    assert settings.store_token is not None
    assert settings.store_token.get_secret_value() == "sesame"
    return settings


@pytest.mark.parametrize(
    "store", ["sqlite:///a.db", "sqlite:////abs/a.db", "memory:", "https://h:8086?org=o&bucket=b"]
)
def test_every_kind_of_store_is_accepted(store: str) -> None:
    assert load_settings(store=store).store == store


@pytest.mark.parametrize("bootstrap", ["[::1]:9092", "a:1,b:2", "kafka.example.org:9093"])
def test_every_form_of_address_is_accepted(bootstrap: str) -> None:
    assert load_settings(bootstrap=bootstrap).bootstrap == bootstrap


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_page_for_people_is_the_settings(tmp_path: Path) -> None:
    page = settings_page()
    assert PAGE.read_text(encoding="utf-8") == page, "run `python -m acrophase.settings_page`"
    for name, field in Settings.model_fields.items():
        assert f"| `{name}` | `ACROPHASE_{name.upper()}` |" in page
        assert str(field.description) in page
    write(tmp_path / "settings.md")
    assert (tmp_path / "settings.md").read_text(encoding="utf-8") == page


@pytest.mark.parametrize(
    "url", ["http://grafana:3000", "https://example.org/grafana/", "http://[::1]:3000"]
)
def test_every_form_of_grafanas_address_is_accepted(url: str) -> None:
    assert load_settings(grafana_url=url).grafana_url == url


@pytest.mark.parametrize(
    "url",
    [
        "grafana:3000",
        "ftp://grafana",
        "http://",
        "http://admin:sesame@grafana",
        "http://grafana?token=sesame",
        "http://grafana:port",
        "http://graf ana",
    ],
)
def test_an_address_that_is_none_of_grafanas_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="setting grafana_url") as refused:
        load_settings(grafana_url=url)
    assert "admin:sesame" not in str(refused.value)


def test_grafanas_token_fits_a_header_and_is_never_told() -> None:
    token = load_settings(grafana_token="glsa_sesame\n").grafana_token
    assert token is not None
    assert token.get_secret_value() == "glsa_sesame"
    for wrong in ("", "glsa_se same", "glsa_sesame\nHost: x", "glsa_sesamé"):
        with pytest.raises(SettingsError, match="setting grafana_token") as refused:
            load_settings(grafana_token=wrong)
        assert "glsa_se" not in str(refused.value)


def test_who_may_see_the_dashboards_is_checked() -> None:
    assert load_settings(grafana_access="team:Night shift=edit").grafana_access
    with pytest.raises(SettingsError, match=r"'viewer=see' is not viewer\|editor\|team:NAME"):
        load_settings(grafana_access="viewer=see")
