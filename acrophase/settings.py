"""Settings: what may be set, and the one place that reads it.

Flags win over the environment (``ACROPHASE_PARTITIONS=16``), the environment over the file
(``partitions = 16`` in ``acrophase.toml``), the file over the defaults. Whatever is unknown or
malformed is refused by name: a misspelt setting that is silently ignored is a wrong system that
looks right.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from dashboards.deploy.plan import read_access
from schemas.errors import SettingsError

PREFIX = "ACROPHASE_"
CONFIG_VARIABLE = "ACROPHASE_CONFIG"
DEFAULT_FILE = Path("acrophase.toml")

# Read by the front door, the tests and the gate; they are not settings of the running system.
_OTHER_VARIABLES = re.compile(r"ACROPHASE_(CONFIG|TEST_[A-Z0-9_]+|REQUIRE_ALL|SHARED_DATA)")

_SPACE = re.compile(r"\s")
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:,/]+):(\d{1,5})")


class Settings(BaseSettings):
    """All settings. Made directly it takes what it is given; `load_settings` reads the layers."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        # An empty variable is what compose files pass for "not given".
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
    )

    bootstrap: str = Field(
        default="127.0.0.1:9092",
        description="Kafka's addresses, host:port, several separated by commas",
    )
    store: str = Field(
        default="sqlite:///acrophase.db",
        description=(
            "where results are kept: sqlite:///FILE, http(s)://HOST:PORT?org=ORG&bucket=BUCKET "
            "(InfluxDB) or memory:"
        ),
    )
    store_token: SecretStr | None = Field(
        default=None, description="InfluxDB's token; better in the environment than in a file"
    )
    group: str = Field(
        default="acrophase",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="Kafka consumer group of the workers: letters, digits, '.', '_' and '-'",
    )
    partitions: int = Field(
        default=8,
        ge=1,
        le=1024,
        description="partitions of the input topics, a number from 1 to 1024; the most workers "
        "that can share the work",
    )
    page_host: str = Field(
        default="127.0.0.1", min_length=1, description="address that the page listens on"
    )
    page_port: int = Field(
        default=8080, ge=1, le=65535, description="port of the page, a number from 1 to 65535"
    )
    grafana_url: str = Field(
        default="http://127.0.0.1:3000",
        description="where Grafana is: http(s)://HOST:PORT, with its path if it has one",
    )
    grafana_token: SecretStr | None = Field(
        default=None,
        description="token of the Grafana service account that deploys and annotates; better in "
        "the environment than in a file",
    )
    grafana_access: str = Field(
        default="viewer=view, editor=view",
        description="who may do what in the folder of dashboards: viewer, editor or team:NAME, "
        "each = view, edit or admin, separated by commas; a role that is not named may nothing",
    )
    checkpoint_s: float = Field(
        default=1.0,
        gt=0,
        le=60,
        allow_inf_nan=False,
        description="seconds between two checkpoints of a worker, above 0 and at most 60",
    )
    session_timeout_s: float = Field(
        default=8.0,
        ge=6,
        le=300,
        allow_inf_nan=False,
        # Brokers refuse less than 6 s (group.min.session.timeout.ms).
        description="seconds after which a silent worker's partitions go to another, 6 to 300",
    )
    alerts_per_person_month: float = Field(
        default=0.1,
        gt=0,
        le=30,
        allow_inf_nan=False,
        description="false alerts accepted for one person in one month, above 0 and at most 30",
    )
    future_tolerance_s: float = Field(
        default=300.0,
        ge=0,
        le=86_400,
        allow_inf_nan=False,
        description="seconds that a reading may lie in the future before it is refused, 0 to 86400",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing but what is given: `load_settings` reads each layer and knows who said what."""
        return (init_settings,)

    @field_validator("*", mode="before")
    @classmethod
    def _no_boolean(cls, value: object) -> object:
        # `partitions = true` in a file would otherwise be one partition.
        if isinstance(value, bool):
            raise PydanticCustomError("boolean", "no setting is a boolean")
        return value

    @field_validator("bootstrap")
    @classmethod
    def _addresses(cls, value: str) -> str:
        for address in value.split(","):
            match = _ADDRESS.fullmatch(address.strip())
            if match is None or not 1 <= int(match[2]) <= 65535:
                raise PydanticCustomError("address", "an address is not host:port")
        return value

    @field_validator("store")
    @classmethod
    def _store_url(cls, value: str) -> str:
        url = urlsplit(value)
        whole = {
            "sqlite": len(url.path) > 1 and not url.netloc,
            "http": bool(url.netloc),
            "https": bool(url.netloc),
            "memory": True,
        }
        if not whole.get(url.scheme, False):
            raise PydanticCustomError("store_url", "no store has an address like this")
        return value

    @field_validator("grafana_url")
    @classmethod
    def _grafana_address(cls, value: str) -> str:
        try:
            url = urlsplit(value)
            whole = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
        except ValueError:  # a port that is no number
            whole = False
        # Name and password would be in what is printed.
        if not whole or "@" in url.netloc or url.query or url.fragment or _SPACE.search(value):
            raise PydanticCustomError("grafana_url", "Grafana has no address like this")
        return value

    @field_validator("grafana_access")
    @classmethod
    def _grants(cls, value: str) -> str:
        try:
            read_access(value)
        except ValueError as error:
            raise PydanticCustomError("access", "{why}", {"why": str(error)}) from None
        return value

    @field_validator("grafana_token")
    @classmethod
    def _fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        # Files and secrets end with a line break more often than not.
        token = value.get_secret_value().strip()
        if re.fullmatch(r"[!-~]+", token) is None:
            raise PydanticCustomError("token", "a token has letters, digits and signs only")
        return SecretStr(token)


def load_settings(config: Path | None = None, **overrides: Any) -> Settings:
    """The settings from flags (``overrides``), environment, file and defaults, in that order.

    ``config`` is the file; without it ``ACROPHASE_CONFIG``, else ``acrophase.toml`` in the
    working folder if there is one. An override that is ``None`` was not given.

    Raises ``SettingsError``; its text names every setting that is unknown or malformed, where it
    was set, what would be right and, for an unknown one, what it may have meant.
    """
    named = config or (Path(os.environ[CONFIG_VARIABLE]) if os.getenv(CONFIG_VARIABLE) else None)
    file = named or DEFAULT_FILE
    layers: list[tuple[str, Mapping[str, Any]]] = [
        (f"file {file}", _read_file(file, required=named is not None)),
        ("environment", _read_environment(os.environ)),
        ("command line", {name: v for name, v in overrides.items() if v is not None}),
    ]
    origin: dict[str, str] = {}
    values: dict[str, Any] = {}
    for source, layer in layers:
        for name, value in layer.items():
            values[name] = value
            origin[name] = source
    try:
        return Settings(**values)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise SettingsError("; ".join(_explain(each, origin) for each in found)) from None


def _read_file(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        if required:
            raise SettingsError(
                f"the settings file {path} does not exist (named by --config or {CONFIG_VARIABLE})"
            ) from None
        return {}
    except OSError as error:
        raise SettingsError(f"the settings file {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings file {path} is not valid TOML: {error}") from None


def _read_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    unknown = sorted(
        variable
        for variable in environment
        if variable.startswith(PREFIX)
        and variable not in known
        and not _OTHER_VARIABLES.fullmatch(variable)
    )
    if unknown:
        raise SettingsError(
            "; ".join(
                f"environment variable {variable} is not a setting{_near(variable, known)}"
                for variable in unknown
            )
        )
    return EnvSettingsSource(Settings)()


def _explain(error: ErrorDetails, origin: Mapping[str, str]) -> str:
    """One problem in words. ``error`` is of Settings, so its location is a setting's name."""
    name = str(error["loc"][0])
    source = origin[name]
    if error["type"] == "extra_forbidden":
        return f"{name} ({source}) is not a setting{_near(name, Settings.model_fields)}"
    if source == "environment":
        source = f"environment variable {PREFIX}{name.upper()}"
    field = Settings.model_fields[name]
    # An address may have been given with a name and a password in it.
    secret = "Secret" in str(field.annotation) or "@" in str(error["input"])
    given = "what was given" if secret else repr(error["input"])
    problem = error["msg"][:1].lower() + error["msg"][1:]
    return (
        f"setting {name} ({source}): {given} is not accepted ({problem}); "
        f"expected: {field.description}"
    )


def _near(name: str, known: Iterable[str]) -> str:
    matches = difflib.get_close_matches(name, list(known), n=2, cutoff=0.85)
    return f"; did you mean {' or '.join(matches)}?" if matches else ""
