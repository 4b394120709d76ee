"""Settings in, real objects out: the one place where spool, store and models are opened."""

from __future__ import annotations

import contextlib
import functools
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sentinel import failpoints
from sentinel.durable import make_private_dir
from sentinel.errors import ArtifactError
from sentinel.home import open_home
from sentinel.secrecy import learn
from sentinel.settings import Settings
from sentinel.spool import Spool
from sentinel.store import Health, ask_store, open_store

if TYPE_CHECKING:
    from sentinel.alert import Rules
    from sentinel.collect import Watched
    from sentinel.detect.models.in_service import InService
    from sentinel.detect.models.registry import Registry
    from sentinel.pipeline.parts import Sentinel
    from sentinel.store import Store

__all__ = [
    "health_of",
    "open_home",
    "open_in_service",
    "open_registry",
    "open_sentinel",
    "open_spool",
    "opened",
    "rules_of",
    "store_of",
    "use_lexicon",
    "use_reading",
    "watched_of",
]

log = logging.getLogger(__name__)

MIB = 1024 * 1024
OWN_FOLDERS = ("spool", "store", "models", "detector", "training", "prefect", "logs", "tmp")  # never read as logs


def open_spool(settings: Settings) -> Spool:
    """The spool of this home. Raises TerminalError with the way out when its file is damaged."""
    return Spool.open(
        open_home(settings) / "spool",
        max_bytes=settings.log_sentinel_spool_max_mb * MIB,
        min_free_bytes=settings.log_sentinel_min_free_mb * MIB,
    )


def watched_of(settings: Settings) -> Watched:
    """The files that are read, and how; without LOG_SENTINEL_DIR all of a folder of our own, `in` under the home."""
    from sentinel.collect import Watched

    home = settings.log_sentinel_home.absolute()
    return Watched(
        places=settings.log_sentinel_dir or (str(settings.own_folder),),
        exclude=(*settings.log_sentinel_exclude, *(str(home / name) for name in OWN_FOLDERS)),
        links=settings.log_sentinel_links,
        begins_now=settings.log_sentinel_from == "now",
    )


def open_registry(settings: Settings) -> Registry:
    """The models of this home, signed with the key of the settings or with one made once; the lexicon of the settings
    is in use from then on."""
    from sentinel.detect.models.registry import Registry  # takes half a second, which not all need

    use_lexicon(settings)
    use_reading(settings)
    return Registry(*_models_of(settings))


def open_in_service(settings: Settings) -> InService:
    """The models of this home to look at, without the detector; signed as `open_registry` has it."""
    from sentinel.detect.models.in_service import InService

    return InService(*_models_of(settings))


def _models_of(settings: Settings) -> tuple[Path, bytes]:
    from sentinel.detect.models.manifest import load_or_make_key

    folder = open_home(settings) / "models"
    try:
        make_private_dir(folder)
    except (FileExistsError, NotADirectoryError, PermissionError) as exc:
        raise ArtifactError(f"open the models in {folder}: {exc.strerror}; move it away, or mend its rights") from exc
    key = settings.log_sentinel_signing_key
    return folder, key.encode() if key else load_or_make_key(settings.log_sentinel_home)


def use_lexicon(settings: Settings) -> None:
    """Read texts with our lexicon and that of the settings. Raises SettingsError for a file that is none."""
    if settings.log_sentinel_lexicon:
        from sentinel.detect.lexicon.in_use import use

        use(settings.log_sentinel_lexicon)


def use_reading(settings: Settings) -> None:
    """Read lines as the settings say. Raises SettingsError that says what is wrong with which of them."""
    from sentinel.parse import Reading, kinds_of, read_formats, use, zones_of

    zones = zones_of(settings.log_sentinel_timezone, settings.log_sentinel_timezone_names)
    use(Reading(zones=zones))  # the examples of formats are read with them
    formats = read_formats(settings.log_sentinel_formats, time.time_ns())
    use(Reading(mask=kinds_of(settings.log_sentinel_mask), formats=formats, zones=zones))


def store_of(settings: Settings) -> Store:
    """Elasticsearch where ELASTIC_ADDR is set, else Parquet files. Does not wait for it to answer."""
    return open_store(
        index=settings.elastic_index,
        retention_days=settings.elastic_retention_days,
        period=settings.elastic_index_period,
        **_place_of(settings),
    )


def health_of(settings: Settings) -> tuple[str, Health]:
    """The kind of the store and whether it answers; asked without opening it for records."""
    return ask_store(**_place_of(settings))


def _place_of(settings: Settings) -> dict[str, Any]:
    return {
        "addr": settings.elastic_addr,
        "folder": settings.log_sentinel_home / "store",
        "api_key": settings.elastic_api_key,
        "user": settings.elastic_user,
        "password": settings.elastic_password,
        "ca_file": settings.elastic_ca_file,
        "fingerprint": settings.elastic_fingerprint,
    }


def rules_of(settings: Settings) -> Rules:
    """Who is to be told of incidents. Raises SettingsError that says what is wrong with which route."""
    from sentinel.alert import read_rules

    rules = read_rules(settings.log_sentinel_alert_urls, settings.log_sentinel_alerts)
    for url in (url for route in rules.routes for url in route.urls):
        learn(urlsplit(url).password)
    return rules


def open_sentinel(settings: Settings) -> Sentinel:
    """Open everything; close it with `.close()`."""
    from sentinel.pipeline.parts import Sentinel

    if settings.log_sentinel_failpoint:
        failpoints.arm_from_text(settings.log_sentinel_failpoint)
    use_reading(settings)
    spool = open_spool(settings)
    if not settings.log_sentinel_dir:
        make_private_dir(settings.own_folder)
    return Sentinel(
        spool=spool,
        store=store_of(settings),
        models=functools.cache(lambda: open_registry(settings)),
        home=settings.log_sentinel_home,
        watched=watched_of(settings),
        period=settings.elastic_index_period,
        threshold_nats=settings.log_sentinel_threshold_nats,
        retention_days=settings.elastic_retention_days,
    )


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Sentinel]:
    """`open_sentinel` as a context manager."""
    sentinel = open_sentinel(settings)
    try:
        yield sentinel
    finally:
        sentinel.close()


def configure_logging(level: str) -> None:
    """Our own log to standard error: time, level, logger, event with key=value."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
