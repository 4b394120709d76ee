"""The environment, read once: every setting with its unit, default and meaning. Nothing else reads the environment."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from sentinel import secrecy
from sentinel.counted import counted
from sentinel.errors import SettingsError
from sentinel.hosts import plain_host

__all__ = ["ENV_FILE", "MAX_TRAIN_RECORDS", "MIN_TRAIN_RECORDS", "Settings", "load_settings", "overlooked"]

ENV_FILE = Path(".env")
SYSTEM_FOLDER = Path("/var/log/log_sentinel")  # where a system install has its logs
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
MIN_TRAIN_RECORDS, MAX_TRAIN_RECORDS = 2, 5_000_000  # a million take 1.4 GiB of memory
SECRETS = ("elastic_api_key", "elastic_password", "log_sentinel_key", "log_sentinel_signing_key")
API_KEY = re.compile(r"[!-~]+")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
UNSEEN = "\ufeff\u200b\u200c\u200d\u2060\x00"  # byte order mark, spaces without width, NUL
INDEX_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,100}")


class Settings(BaseSettings):
    """All settings, from the environment, else from `.env`. Names are those of `.env.sample`."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    elastic_addr: str | None = Field(
        None, repr=False, description="address of Elasticsearch, e.g. http://localhost:9200; unset: Parquet files"
    )
    elastic_index: str = Field("logs-sentinel", description="read alias and first part of every index name")
    elastic_index_period: Literal["month", "day", "none"] = Field(
        "month", description="a new index each month or day (by arrival), or one for ever"
    )
    elastic_retention_days: int = Field(
        0, ge=0, description="days after which a whole index or folder is deleted; 0: never"
    )
    elastic_api_key: str | None = Field(None, repr=False, description="API key, encoded, as Elasticsearch shows it")
    elastic_user: str | None = Field(None, description="user name, where no API key is used")
    elastic_password: str | None = Field(None, repr=False, description="password of that user")
    elastic_ca_file: Path | None = Field(
        None, description="PEM file of the authority that signed the server's certificate"
    )
    elastic_fingerprint: str | None = Field(None, description="SHA-256 fingerprint of the server's certificate, in hex")
    log_sentinel_dir: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="folders, files and globs whose lines are read, separated by `:`; unset: LOG_SENTINEL_HOME/in"
    )
    log_sentinel_exclude: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="globs of names or paths that are not read, separated by `:`, e.g. *.gz:/var/log/journal"
    )
    log_sentinel_from: Literal["beginning", "now"] = Field(
        "beginning", description="where files that are there at the very first start are read from"
    )
    log_sentinel_follow: bool = Field(True, description="whether the server reads the files itself, as they grow")
    log_sentinel_links: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="folders in which symbolic links may end, separated by `:`; unset: no link is followed"
    )
    log_sentinel_formats: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="files and folders of TOML, separated by `:`, with log formats of your own; unset: ours alone"
    )
    log_sentinel_timezone: str | None = Field(
        None,
        description="zone of times without one, and of some files alone as glob=zone, comma-separated; unset: UTC",
    )
    log_sentinel_timezone_names: str | None = Field(
        None, description="what names of zones mean, as name=zone, comma-separated, e.g. IST=Asia/Kolkata"
    )
    log_sentinel_mask: str = Field(
        "all",
        description="kinds of secrets that are masked before they reach the disk: all, none, or some with commas",
    )
    log_sentinel_home: Path = Field(
        Path("var"), description="folder of spool, local store, models and Prefect's own state"
    )
    log_sentinel_host: str = Field(
        "127.0.0.1",
        description="address the server listens on; one that is not loopback needs LOG_SENTINEL_KEY",
    )
    log_sentinel_ports: Annotated[tuple[int, ...], NoDecode] = Field(
        (8000, 8080), description="ports the server listens on, comma-separated"
    )
    log_sentinel_key: str | None = Field(
        None,
        repr=False,
        description="key that every request but /health and /ready must carry (Authorization: Bearer …)",
    )
    log_sentinel_allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="names and addresses the server goes by, comma-separated, without a port; "
        "unset: those of loopback where it listens there, else any",
    )
    log_sentinel_signing_key: str | None = Field(
        None,
        repr=False,
        description="key that signs model files; unset: one is made in LOG_SENTINEL_HOME",
    )
    log_sentinel_spool_max_mb: int = Field(
        1024, ge=16, description="MiB of waiting records at which intake answers 503"
    )
    log_sentinel_min_free_mb: int = Field(256, ge=1, description="MiB of free disk below which intake answers 503")
    log_sentinel_max_body_mb: int = Field(
        16,
        ge=1,
        description="MiB of a request's body, inflated, above which the answer is 413",
    )
    log_sentinel_train_max_records: int = Field(
        200_000,
        ge=MIN_TRAIN_RECORDS,
        le=MAX_TRAIN_RECORDS,
        description="newest records a retrain reads from the store",
    )
    log_sentinel_threshold_nats: float = Field(
        7.5,
        gt=0,
        lt=1000,
        description="−ln p from which a record is an anomaly; acts at the next start, without a refit",
    )
    log_sentinel_lexicon: Annotated[tuple[Path, ...], NoDecode] = Field(
        (), description="files and folders of TOML, separated by `:`, with words of your own; unset: ours alone"
    )
    log_sentinel_alert_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="addresses to tell of incidents, white-space-separated: https:, alertmanager+http:, or apprise's",
    )
    log_sentinel_alerts: Path | None = Field(
        None, description="TOML file of [[route]] tables: who is told of what, quiet hours, cool-down"
    )
    log_sentinel_url: str | None = Field(
        None, description="address of this server for people: links in alerts begin with it"
    )
    log_sentinel_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="how much our own log says"
    )
    log_sentinel_failpoint: str | None = Field(
        None,
        description="for fault tests only: `name:action[:nth]`, where the process is to break",
    )

    @model_validator(mode="before")
    @classmethod
    def _trim(cls, values: object) -> object:
        """White space around a value is no part of it: keys come from files and secrets that end with a line's end."""
        if not isinstance(values, dict):
            return values
        trimmed = {name: _trimmed(value) if isinstance(value, str) else value for name, value in values.items()}
        if blank := [name for name in SECRETS if trimmed.get(name) == ""]:
            raise ValueError(f"{blank[0].upper()} is blank; give it a value, or leave the setting out")
        return {name: value for name, value in trimmed.items() if value != ""}

    @property
    def own_folder(self) -> Path:
        """The folder that is watched where nobody chose another one."""
        return self.log_sentinel_home / "in"

    @field_validator(
        "log_sentinel_dir",
        "log_sentinel_exclude",
        "log_sentinel_links",
        "log_sentinel_lexicon",
        "log_sentinel_formats",
        mode="before",
    )
    @classmethod
    def _split_paths(cls, value: object) -> object:
        if isinstance(value, Path):
            return (str(value),)
        return tuple(filter(None, map(str.strip, value.split(":")))) if isinstance(value, str) else value

    @field_validator("log_sentinel_links")
    @classmethod
    def _check_links(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not path.startswith("/") for path in value):
            raise ValueError("takes absolute folders, e.g. /var/log/pods:/var/lib/docker/containers")
        return value

    @field_validator("log_sentinel_alert_urls", mode="before")
    @classmethod
    def _split_words(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("log_sentinel_url")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", value):
            raise ValueError("takes an address as https://logs.example.org, without a query")
        return value

    @field_validator("log_sentinel_ports", "log_sentinel_allowed_hosts", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("log_sentinel_ports")
    @classmethod
    def _check_ports(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or any(not 0 <= port <= 65535 for port in value):
            raise ValueError("takes one or more port numbers from 0 to 65535, e.g. 8000,8080")
        return value

    @field_validator("log_sentinel_allowed_hosts")
    @classmethod
    def _check_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(plain_host(name) for name in value)

    @field_validator(*SECRETS, "elastic_user")
    @classmethod
    def _check_secret(cls, value: str | None) -> str | None:
        if value is not None and CONTROL.search(value):
            raise ValueError("has a line end or another control character within; give it as one line of text")
        return value

    @field_validator("elastic_api_key")
    @classmethod
    def _check_api_key(cls, value: str | None) -> str | None:
        if value is not None and not API_KEY.fullmatch(value):
            raise ValueError("takes the key in its encoded form, one word of ASCII characters without white space")
        return value

    @field_validator("elastic_user")
    @classmethod
    def _check_user(cls, value: str | None) -> str | None:
        if value is not None and ":" in value:
            raise ValueError("takes a name without a colon; the password goes to ELASTIC_PASSWORD")
        return value

    @field_validator("elastic_addr")
    @classmethod
    def _check_addr(cls, value: str | None) -> str | None:
        authority, _, rest = re.sub("^.*?://", "", value or "").partition("/")
        if "@" in rest or "@" in authority.rpartition("@")[0] or CONTROL.search(value or ""):
            raise ValueError("has a password with / or @ within; write them as %2F and %40, or set ELASTIC_PASSWORD")
        return value

    @field_validator("elastic_index")
    @classmethod
    def _check_index(cls, value: str) -> str:
        if not INDEX_NAME.fullmatch(value):
            raise ValueError("takes lower-case letters, digits, '.', '_' and '-', and begins with a letter or digit")
        return value

    @model_validator(mode="after")
    def _check_exposure(self) -> Self:
        if self.log_sentinel_host not in LOOPBACK and not self.log_sentinel_key:
            raise ValueError("LOG_SENTINEL_HOST is not loopback: set LOG_SENTINEL_KEY too, or listen on 127.0.0.1")
        return self


def _trimmed(text: str) -> str:
    """The text without white space around it, also what cannot be seen."""
    while (shorter := text.strip().strip(UNSEEN)) != text:
        text = shorter
    return text


def overlooked(settings: Settings) -> str | None:
    """What to know where a system's usual folder has logs and nobody said which folder to read; else None."""
    if settings.log_sentinel_dir:
        return None
    files = sum(len(names) for _, _, names in os.walk(SYSTEM_FOLDER))
    if not files:
        return None
    what = f"{counted(files, 'file is', 'files are')} in {SYSTEM_FOLDER} and not read"
    return f"{what}, for LOG_SENTINEL_DIR is unset; LOG_SENTINEL_DIR={SYSTEM_FOLDER} has them read"


def load_settings(**overrides: object) -> Settings:
    """Read the settings; keyword arguments win over the environment. Raises SettingsError with all that is wrong.

    From then on their secrets are blotted out of all that is said.
    """
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as exc:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])).upper() or 'settings'}: {e['msg']}" for e in exc.errors())
        raise SettingsError(f"read settings: {problems}; see .env.sample") from exc
    secrecy.forget()
    for name in SECRETS:
        secrecy.learn(getattr(settings, name))
    secrecy.learn_login(settings.elastic_user, settings.elastic_password)
    secrecy.learn_address(settings.elastic_addr)
    return settings
