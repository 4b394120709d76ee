"""Cross-fitting: what training lines look like to tables that have not seen them, and which lines may not teach."""

from typing import Any

import numpy as np

from sentinel.detect.judge.combine import floods, norms
from sentinel.detect.judge.features import FEATURE_INDEX, FEATURES, FLOORS
from sentinel.detect.judge.surprise import Baseline, surprises
from sentinel.detect.judge.tails import TOLERANCE, fit_tails, tail_nats
from sentinel.detect.kernel.flags import TROUBLE, Level
from sentinel.detect.kernel.jit import Booleans, Floats, Integers
from sentinel.detect.learn.baseline import Evidence, learn
from sentinel.detect.learn.bursts import SLOT_S, bursts_of
from sentinel.detect.learn.corpus import Corpus
from sentinel.detect.learn.outcomes import counters_in
from sentinel.detect.read.coded import Facts
from sentinel.detect.remember.raw import RAW_INDEX
from sentinel.detect.tuning.learn import (
    BLOCKS,
    CHUNK_ROWS,
    FIRST,
    FLOOD_NATS,
    JOB_SHARE,
    MOST,
    SAMPLE_ROWS,
    SLOTS,
    TRIM_BULK,
    TRIM_ROUNDS,
    TRIM_ROWS,
)
from sentinel.detect.tuning.learn import CROWD_LINES_OF_CROSSFIT as CROWD_LINES

__all__ = ["BLOCKS", "CHUNK_ROWS", "FIRST", "CrossFit", "rows_of"]

NUMBER_AT, MEAN_AT = FEATURE_INDEX["number"], FEATURE_INDEX["mean_number"]


def rows_of(facts: Facts, rows: Integers) -> Facts:
    """The facts of some lines."""
    columns: Any = [column[rows] for column in facts]
    return Facts(*columns)


class CrossFit:
    """Surprises of training lines from tables of other lines: of earlier blocks, or of all other blocks."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.facts = corpus.coded.facts
        self.templates, self.sources = len(corpus.vocabulary.places), len(corpus.source_hashes)
        self.block = _blocks(corpus.coded.line.times)
        self.evidence = Evidence(corpus.raw, self.facts, self.templates, self.sources)
        self.counters = counters_in(self.facts.numbers, self.facts.template, self.templates, corpus.writers)

    def cap(self, use: Booleans) -> tuple[float, float]:
        """The ceilings of every rarity, by lines and by windows: what the smallest history yields."""
        first = use & (self.block < FIRST)
        windows = self.corpus.raw[first, RAW_INDEX["windows"]]
        most = float(windows.max()) if len(windows) else 0.0
        return float(np.log(2.0 * (np.count_nonzero(first) + 1))), float(np.log(2.0 * (most + 1)))

    def surprises(self, rows: Integers, tables: Baseline, raw: Floats | None = None) -> Floats:
        """Surprises (len(rows), features) of some lines under tables."""
        out = np.empty((len(rows), len(FEATURES)))
        surprises(
            self.corpus.raw[rows].astype(np.float64) if raw is None else raw, rows_of(self.facts, rows), tables, out
        )
        return out

    def tables(self, use: Booleans, cap: tuple[float, float], trust: Floats | None = None) -> Baseline:
        """Tables from the lines `use`; the rarities of words go into the facts."""
        texts, _, _ = self.corpus.words.rarities(use, cap[0])
        self.facts = self.facts._replace(rarity=texts[self.corpus.words.which])
        return learn(self.evidence, use, cap, trust, self.counters)

    def forward(self, use: Booleans, seed: int) -> tuple[Integers, Floats]:
        """(rows, surprises): lines `use` after the first blocks, each under tables of earlier blocks only."""
        cap, rng = self.cap(use), np.random.default_rng(seed)
        rows, found = [], []
        for b in range(FIRST, BLOCKS):
            mine = np.flatnonzero(use & (self.block == b))
            if len(mine) > SAMPLE_ROWS // (BLOCKS - FIRST):
                mine = np.sort(rng.choice(mine, SAMPLE_ROWS // (BLOCKS - FIRST), replace=False))
            rows.append(mine)
            found.append(self.surprises(mine, self.tables(use & (self.block < b), cap)))
        return np.concatenate(rows), np.concatenate(found)

    def trust(self, rows: Integers, found: Floats) -> Floats:
        """(templates, 2): how far a template's numbers may be believed: little where they leave their range often."""
        groups, trust = self.facts.template[rows], np.ones((self.templates, 2))
        seen = np.bincount(groups, minlength=self.templates)
        for k, column in enumerate((NUMBER_AT, MEAN_AT)):
            outside = np.bincount(groups, found[:, column] > 0.5, self.templates)
            share = (outside + 0.3) / (seen + 30.0)
            trust[:, k] = np.clip(np.log(share) / np.log(0.01), 0.0, 1.2)
            found[:, column] *= trust[groups, k]
        return trust

    def _raw_without_block(self, rows: Integers, others: Booleans) -> Floats:
        """Raw values in which hits are those of the other blocks."""
        raw = self.corpus.raw[rows].astype(np.float64)
        facts = self.facts
        pairs = facts.template * self.sources + facts.source
        levels = facts.source * 8 + facts.level
        raw[:, RAW_INDEX["lines"]] = np.count_nonzero(others)
        for name, codes in (
            ("hits_template", facts.template),
            ("hits_source", facts.source),
            ("hits_template_source", pairs),
            ("hits_level_source", levels),
        ):
            raw[:, RAW_INDEX[name]] = np.bincount(codes[others], minlength=int(codes.max()) + 1)[codes[rows]]
        return raw

    def _left_out(self, use: Booleans, seed: int) -> tuple[Floats, Floats]:
        """(n,) the norm of each line's tails and its flood statistic, under tables and tails of all other blocks."""
        n, cap, rng = len(self.corpus), self.cap(use), np.random.default_rng(seed)
        sample = rng.random(n) < TRIM_ROWS / n
        parts = []
        for b in range(BLOCKS):
            others, mine = use & (self.block != b), np.flatnonzero(self.block == b)
            tables = self.tables(others, cap)
            chosen = mine[sample[mine] & use[mine]]
            seen = self.surprises(chosen, tables, self._raw_without_block(chosen, others))
            parts.append((mine, tables, self.facts, others, chosen, seen))
        norm, flood = np.empty(n), np.empty(n)
        for b, (mine, tables, facts, others, _, _) in enumerate(parts):
            self.facts = facts
            rest = [part for k, part in enumerate(parts) if k != b]
            groups = np.concatenate([facts.source[part[4]] for part in rest])
            tails, places = fit_tails(np.concatenate([part[5] for part in rest]), groups, self.sources, floors=FLOORS)
            for a in range(0, len(mine), CHUNK_ROWS):
                rows = mine[a : a + CHUNK_ROWS]
                found = self.surprises(rows, tables, self._raw_without_block(rows, others))
                tail_nats(found, places[facts.source[rows]], tails, TOLERANCE, found)
                one, two = np.empty(len(rows)), np.empty(len(rows))
                norms(found, one)
                floods(found, two)
                norm[rows], flood[rows] = one, two
        return norm, flood

    def clean(self, use: Booleans, seed: int) -> Booleans:
        """Which lines may teach: not the crowds that the bulk of the others calls impossible (an incident in training).

        Where most of a template's lines in a quarter hour are such, those shortly before and after go too. Single odd
        lines stay: they are the noise that the threshold must learn to bear.
        """
        ok = use.copy()
        times, n = self.corpus.coded.line.times, len(self.corpus)
        bursts = bursts_of(self.corpus)
        _, said = np.unique(bursts.pair * bursts.slots + bursts.slot, return_inverse=True)
        most = MOST * np.bincount(said)[said]
        for _ in range(TRIM_ROUNDS):
            norm, flood = self._left_out(ok, seed)
            bulk = norm[ok & (norm <= np.quantile(norm[ok], TRIM_BULK))]
            far = (_far(bulk, norm) > np.log(10.0 * n)) | (flood > FLOOD_NATS)
            crowds = bursts.crowds(far, CROWD_LINES)
            mostly = np.bincount(said, crowds)[said] >= most
            ok = use & ~crowds & ~bursts.whole(crowds & mostly, times)
        return ok

    def jobs(self, out: Booleans) -> Booleans:
        """(n,) which of the lines `out`, left out as an incident, teach all the same: a job's that runs seldom.

        Their templates came in it alone, tell of no trouble, and name nobody who could be blamed.
        """
        facts, entities = self.facts, self.corpus.coded.line.entities
        share = np.bincount(facts.template, out, self.templates) / np.maximum(
            np.bincount(facts.template, minlength=self.templates), 1
        )
        calm = (entities[:, :2] == 0).all(1) & (facts.flags & TROUBLE == 0) & (facts.level < Level.WARN)
        jobs: Booleans = out & calm & (share[facts.template] >= JOB_SHARE)
        return jobs


def _blocks(times: Floats) -> Integers:
    """(n,) the block of each line: equal counts of lines, but a flood is never cut in two."""
    n = len(times)
    by_count = np.minimum(np.arange(n) * BLOCKS // max(n, 1), BLOCKS - 1)
    slot_s = max(min(SLOT_S, (times[-1] - times[0]) / SLOTS), 1e-3)
    _, first, slot = np.unique((times - times[0]) // slot_s, return_index=True, return_inverse=True)
    blocks: Integers = by_count[first][slot]
    return blocks if len(np.unique(blocks)) == BLOCKS else by_count


def _far(bulk: Floats, norm: Floats) -> Floats:
    """−ln p of norms under an exponential tail fitted to the bulk."""
    start = float(np.quantile(bulk, 0.97))
    above = bulk[bulk > start]
    scale = (float((above - start).mean()) if len(above) else 0.0) + 0.05 * float(bulk.std()) + 0.02
    return np.where(norm > start, -np.log(0.03) + (norm - start) / scale, 0.0)
