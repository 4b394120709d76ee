"""Grave failures: what a text must say to be one, and that a new one is an alarm where other failures are everyday."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl
import pytest

from sentinel.detect import Scorer
from sentinel.detect.judge.combine import ALARM_NATS
from sentinel.detect.kernel.flags import Flag
from sentinel.detect.learn.fit import fit
from sentinel.detect.lexicon.words import flags_of
from tests.detect.conftest import NOW

GRAVE_TEXTS = (
    "java.lang.OutOfMemoryError: Metaspace",
    "write <PATH>: no space left on device",
    "tablespace USERS is <NUM> % full",
    "I/O error, dev sdc, sector <NUM> op <HEX>:(WRITE)",
    "EXT4-fs (sdb<NUM>): Remounting filesystem read-only",
    "page verification failed, invalid page in block <NUM> of relation base",
    "thread 'main' panicked at src/main.rs:<NUM>",
    "NullReferenceException: Object reference not set to an instance of an object",
    "server process (PID <NUM>) was terminated by signal <NUM>: Segmentation fault",
    "node db-<NUM> is unreachable",
    "there is no more space for the virtual disk",
    "cannot reclaim <NUM> bytes of the recovery area",
    "pool tank: vdev state FAULTED",
    "failed to decrypt the stored keys",
    "BGP peer <IP> changed state from Established to Idle",
    "the transaction log for database warehouse is full",
    "raft: lost quorum, <NUM> of <NUM> members answer",
    "certificate has expired",
    "flash: disk usage value <NUM>% exceeds critical level <NUM>%",
    "aborted replication with an error: authentication required",
    "The computer has rebooted from a bugcheck.",
    "Error syncing pod, skipping: ImagePullBackOff",
    "CPU <NUM>: STOP due to programming error - PLC: RUN -> STOP",
    "The system has rebooted without cleanly shutting down first.",
    "Slave SQL for channel '': Could not execute Write_rows event on table <NAME>",
)
PLAIN_TEXTS = (
    "backup <NUM>: verified checksum of <NUM> files",
    "disk limit not specified, defaulting to unlimited",
    "Order <NUM> failed: Read timed out",
    "connection refused by upstream",
    "mounted <PATH> with ordered data mode",
    "Failed password for invalid user <USER> from <IP>",
    "GET <PATH> S404",
    "debug check of <NUM> rooms done",
)


@pytest.mark.parametrize("masked", GRAVE_TEXTS)
def test_crash_damage_and_exhaustion_are_grave(masked: str) -> None:
    """They also read as a failure, whatever their level."""
    assert flags_of(masked) & Flag.GRAVE
    assert flags_of(masked) & Flag.BAD


@pytest.mark.parametrize("masked", PLAIN_TEXTS)
def test_everyday_failures_and_plain_lines_are_not_grave(masked: str) -> None:
    """Nor is a failed log-in, which has a prior of its own."""
    assert not flags_of(masked) & Flag.GRAVE


def _mutter(dice: random.Random) -> str:
    words = ["".join(dice.choices("bdfgklmnprstaeiou", k=dice.randint(4, 9))) for _ in range(dice.randint(3, 9))]
    return f"{' '.join(words)} failed"


def _of_one(frame: pl.DataFrame, text: str) -> pl.DataFrame:
    line = frame.head(1).with_columns(source=pl.lit("mutter"), level=pl.lit("error"), message=pl.lit(text))
    return line.with_columns(timestamp=pl.col("timestamp") + timedelta(seconds=1))


def _taught(past: pl.DataFrame, times: Sequence[datetime], texts: Sequence[str]) -> Scorer:
    """A scorer that learnt the past with these failures of one more source in it."""
    muttered = pl.DataFrame({"timestamp": times, "message": texts}).with_columns(
        pl.col("timestamp").cast(past.schema["timestamp"]),
        level=pl.lit("error"),
        source=pl.lit("mutter"),
        attributes=pl.lit(None, pl.String),
    )
    lines = pl.concat([past, muttered], how="diagonal").sort("timestamp", maintain_order=True)
    learnt = fit(lines, now=NOW, seed=1, trees=60)
    return Scorer(learnt.model, learnt.state)


def test_a_new_grave_failure_is_an_alarm_where_new_failures_are_everyday(
    past: pl.DataFrame, present: pl.DataFrame
) -> None:
    """A source says something new and failing each two minutes: one more is nothing, a full disk is an alarm."""
    dice = random.Random(3)
    at = [past["timestamp"][0] + timedelta(minutes=2 * i) for i in range(175)]
    texts = [_mutter(dice) for _ in at]
    scorer = _taught(past, at, texts)

    one_more = scorer.peek(_of_one(present, _mutter(dice)))
    grave = scorer.peek(_of_one(present, "cannot write spool block: No space left on device"))

    assert one_more["nats"].item() < ALARM_NATS
    assert grave["nats"].item() >= ALARM_NATS
    assert grave["kind"].item() == "new_template"
    assert any("reads as a grave failure" in reason for reason in grave["reasons"].item())


def test_a_failure_that_came_often_is_everyday_and_a_new_one_is_an_alarm(
    past: pl.DataFrame, present: pl.DataFrame
) -> None:
    """Six times in the training, hours apart, is often enough."""
    text, count = "peer refused the batch, it goes to the next one", 6
    times = [past["timestamp"][(k + 1) * len(past) // (count + 2)] for k in range(count)]
    scorer = _taught(past, times, [text] * count)

    everyday, new = (scorer.peek(_of_one(present, said)) for said in (text, "ring buffer rejected by the far end"))

    assert everyday["nats"].item() < ALARM_NATS <= new["nats"].item()
