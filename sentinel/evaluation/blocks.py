"""Make the log of a distributed file system: blocks written, read, copied and deleted over a day and a half.

It stands for a log whose blocks are not cut off, which no file of the public samples is. Its anomalies are those that
Xu et al. (SOSP 2009, table 5) found in such a log: writes that fail, replicas that are lost, deletions that go wrong.
Nodes are asked to delete many blocks in one line, which belongs to none of them.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import polars as pl

__all__ = ["make_blocks"]

SPAN_S = 38 * 3600.0
NODE, NAMES = "dfs.DataNode", "dfs.FSNamesystem"
Events = list[tuple[float, str, str]]
"""Seconds from the beginning of the block, source, message with {b} for the block."""


class _Block:
    """The events of one block, as they come."""

    def __init__(self, dice: np.random.Generator) -> None:
        self.dice, self.events = dice, Events()
        self.asked = list[float]()  # when nodes are asked to delete a copy; such a line is about many blocks
        self.now_s = 0.0

    def say(self, source: str, message: str, *, spread_s: float = 1.0) -> None:
        after_s = self.now_s + float(self.dice.exponential(spread_s))
        address = f"/10.250.{self.dice.integers(1, 20)}.{self.dice.integers(1, 250)}:50010"
        self.events.append((after_s, source, message.replace("{a}", address)))

    def chance(self, share: float) -> bool:
        return bool(self.dice.random() < share)

    def write(self, copies: int = 3, finished: int | None = None) -> None:
        self.say(NAMES, "BLOCK* NameSystem.allocateBlock: /user/root/part-7 {b}", spread_s=0.3)
        for _ in range(copies):
            self.say(f"{NODE}$DataXceiver", "Receiving block {b} src: {a} dest: {a}")
        self.now_s += float(self.dice.uniform(5.0, 60.0))
        for _ in range(copies if finished is None else finished):
            self.say(f"{NODE}$PacketResponder", "PacketResponder 1 for block {b} terminating", spread_s=0.5)
            self.say(f"{NODE}$PacketResponder", "Received block {b} of size 67108864 from {a}", spread_s=0.5)
            self.say(NAMES, "BLOCK* NameSystem.addStoredBlock: blockMap updated: {a} is added to {b} size 67108864")
        self.now_s += 5.0

    def read(self, times: int) -> None:
        for _ in range(times):
            self.now_s += float(self.dice.exponential(900.0))
            self.say(f"{NODE}$DataXceiver", "{a} Served block {b} to {a}")
            if self.chance(0.15):
                self.say(f"{NODE}$DataXceiver", "{a}:Got exception while serving {b} to {a}:")

    def verify(self) -> None:
        self.now_s += float(self.dice.uniform(600.0, 20_000.0))
        self.say("dfs.DataBlockScanner", "Verification succeeded for {b}")

    def copy(self) -> None:
        self.say(NAMES, "BLOCK* ask {a} to replicate {b} to datanode(s) {a}")
        self.say(NODE, "{a} Starting thread to transfer block {b} to {a}")
        self.say(f"{NODE}$DataXceiver", "Receiving block {b} src: {a} dest: {a}", spread_s=2.0)
        self.say(f"{NODE}$DataTransfer", "{a}:Transmitted block {b} to {a}", spread_s=5.0)
        self.say(f"{NODE}$DataXceiver", "Received block {b} src: {a} dest: {a} of size 67108864", spread_s=5.0)
        self.say(NAMES, "BLOCK* NameSystem.addStoredBlock: blockMap updated: {a} is added to {b} size 67108864")
        self.now_s += 10.0

    def delete(self, copies: int = 3, done: int | None = None) -> None:
        self.now_s += float(self.dice.exponential(7_000.0))
        for _ in range(copies):
            self.say(NAMES, "BLOCK* NameSystem.delete: {b} is added to invalidSet of {a}", spread_s=0.2)
        self.now_s += 3.0
        self.asked += [self.now_s + float(self.dice.exponential(1.0)) for _ in range(copies)]
        for _ in range(copies if done is None else done):
            self.say("dfs.FSDataset", "Deleting block {b} file /mnt/hadoop/dfs/data/current/{b}", spread_s=3.0)
        self.now_s += 10.0

    def live(self, *, deleted: float = 0.55) -> None:
        """A usual life after the writing."""
        copies = 3
        if self.chance(0.04):
            self.copy()
            copies = 4
        if self.chance(0.3):
            self.read(int(self.dice.geometric(0.4)))
        if self.chance(0.25):
            self.verify()
        if self.chance(deleted):
            self.delete(copies)


def _usual(b: _Block) -> None:
    b.write(10 if b.chance(0.004) else 3)
    if b.chance(0.006):
        b.say(f"{NODE}$DataXceiver", "Receiving empty packet for block {b}")
    b.live()


def _write_fails_at_once(b: _Block) -> None:
    b.write(int(b.dice.integers(1, 4)), finished=0)


def _write_breaks(b: _Block) -> None:
    b.write(3, finished=2)
    b.say(f"{NODE}$DataXceiver", "writeBlock {b} received exception java.io.IOException: Connection reset by peer")
    b.say(f"{NODE}$PacketResponder", "PacketResponder {b} 2 Exception java.io.EOFException")
    b.live()


def _replica_is_deleted_at_once(b: _Block) -> None:
    b.write()
    b.say(NAMES, "BLOCK* NameSystem.delete: {b} is added to invalidSet of {a}")
    b.say("dfs.FSDataset", "Deleting block {b} file /mnt/hadoop/dfs/data/current/{b}", spread_s=3.0)
    b.now_s += 10.0
    b.live()


def _names_are_not_told(b: _Block) -> None:
    b.write()
    b.live(deleted=0.0)
    b.delete(done=2)
    b.say(NAMES, "BLOCK* NameSystem.addStoredBlock: addStoredBlock request received for {b} on {a} size 67108864 "
                 "But it does not belong to any file.")  # fmt: skip
    b.now_s += 1.0
    b.say(NAMES, "BLOCK* NameSystem.addStoredBlock: blockMap updated: {a} is added to {b} size 67108864")
    b.asked.append(b.now_s)
    for _ in range(2):
        b.say("dfs.FSDataset", "Deleting block {b} file /mnt/hadoop/dfs/data/current/{b}", spread_s=3.0)


def _is_redundant(b: _Block) -> None:
    b.write()
    b.say(NAMES, "BLOCK* NameSystem.addStoredBlock: Redundant addStoredBlock request received for {b} on {a}")
    b.live()


def _delete_finds_nothing(b: _Block) -> None:
    b.write()
    b.delete(done=2)
    b.say("dfs.FSDataset", "Unexpected error trying to delete block {b}. BlockInfo not found in volumeMap.")


def _deletes_are_lost(b: _Block) -> None:
    b.write()
    b.delete(done=int(b.dice.integers(0, 3)))


def _stores_are_lost(b: _Block) -> None:
    b.write()
    b.events = [e for i, e in enumerate(b.events) if "blockMap" not in e[2] or i % 2]
    b.live()


def _copy_times_out(b: _Block) -> None:
    b.write()
    b.say(NAMES, "BLOCK* ask {a} to replicate {b} to datanode(s) {a}")
    b.now_s += 600.0
    b.say("dfs.PendingReplicationBlocks$PendingReplicationMonitor", "PendingReplicationMonitor timed out block {b}")
    b.live()


FAULTS: tuple[tuple[float, Callable[[_Block], None]], ...] = (
    (0.25, _names_are_not_told),
    (0.19, _write_breaks),
    (0.17, _write_fails_at_once),
    (0.16, _replica_is_deleted_at_once),
    (0.06, _is_redundant),
    (0.05, _delete_finds_nothing),
    (0.05, _deletes_are_lost),
    (0.05, _stores_are_lost),
    (0.02, _copy_times_out),
)
"""Shares as in the table of Xu et al., the rare ones taken together."""


def _asks(asked: list[tuple[float, str]], dice: np.random.Generator) -> Events:
    """A line for each node that is asked to delete copies, of one block or of up to thirty."""
    events, first = Events(), 0
    while first < len(asked):
        some = asked[first : first + int(dice.integers(1, 31))]
        node = f"10.250.{dice.integers(1, 20)}.{dice.integers(1, 250)}:50010"
        events.append((some[-1][0], NAMES, f"BLOCK* ask {node} to delete  " + " ".join(name for _, name in some)))
        first += len(some)
    return events


def make_blocks(count: int, *, start: datetime, anomalous: float, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(lines: timestamp, level, source, host, message; truth: session, label, begins) of `count` blocks."""
    dice = np.random.default_rng(seed)
    shares = np.array([share for share, _ in FAULTS])
    rows, truth, asked = list[tuple[float, str, str]](), [], list[tuple[float, str]]()
    for begins_s in np.sort(dice.uniform(0.0, SPAN_S, count)).tolist():
        block, name = _Block(dice), f"blk_{dice.integers(-(2**62), 2**62)}"
        strange = block.chance(anomalous)
        (FAULTS[int(dice.choice(len(FAULTS), p=shares / shares.sum()))][1] if strange else _usual)(block)
        rows += [(begins_s + at, source, text.replace("{b}", name)) for at, source, text in block.events]
        asked += [(begins_s + at, name) for at in block.asked]
        truth.append((name, int(strange), begins_s))
    rows += _asks(sorted(asked), dice)
    kept = sorted((row for row in rows if row[0] <= SPAN_S), key=lambda row: row[0])
    lines = pl.DataFrame(
        {
            "timestamp": [start + timedelta(seconds=at) for at, _, _ in kept],
            "source": [source for _, source, _ in kept],
            "message": [text for _, _, text in kept],
        }
    )
    return (
        lines.with_columns(level=pl.lit("info"), host=pl.lit("")),
        pl.DataFrame(truth, schema=["session", "label", "begins"], orient="row"),
    )
