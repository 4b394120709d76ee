"""Find the template of a masked text: a Drain tree (He et al. 2017, doi:10.1109/ICWS.2017.13), opposites apart."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from operator import eq

from sentinel.detect.kernel.hashing import hash_text
from sentinel.detect.lexicon.in_use import is_opposite
from sentinel.detect.tuning.read import MAX_FIRST_TOKENS, MAX_LEAF_CLUSTERS, MAX_TOKENS, SIMILARITY

__all__ = ["WILDCARD", "Cluster", "Drain", "plain"]

WILDCARD = "<*>"
_STATUS = re.compile(r"S[1-5][0-9x]{2}$|[a-z_]{2,12}=[0-9]{1,3}$")


@dataclass(slots=True)
class Cluster:
    """One template: its tokens (WILDCARD where its texts differ) and the key it keeps for life."""

    key: int
    tokens: list[str]

    @property
    def text(self) -> str:
        """The template as people read it."""
        return " ".join(self.tokens)


def plain(masked: str) -> str:
    """A masked text in which a zero that counts trouble is a number as others: they share their template."""
    return masked.replace("<ZERO>", "<NUM>")


def _tokens(masked: str) -> list[str]:
    return plain(masked).split(" ", MAX_TOKENS)


def _bare(token: str) -> str:
    return token.strip(".,:;()[]{}\"'!?=")


def _is_guard(token: str) -> bool:
    """Whether a token turns a text into another one: an opposite, an HTTP status, an exit code."""
    return is_opposite(_bare(token)) or _STATUS.match(token) is not None


class Drain:
    """Templates learnt from masked texts. `learn` may generalise a template; `find` never changes anything."""

    def __init__(self, clusters: Iterable[tuple[int, str]] = ()) -> None:
        self.clusters: dict[int, Cluster] = {}
        self._leaves: dict[tuple[int, str], list[Cluster]] = {}
        self._firsts: dict[int, int] = {}
        self._overflows: dict[int, Cluster] = {}
        for key, text in clusters:
            self._add(key, text.split(" "))

    def find(self, masked: str) -> Cluster | None:
        """The template that covers a text, else the nearest one that is near enough, else None."""
        tokens = _tokens(masked)
        best, best_rank = None, (-1, -1.0)
        for cluster in self._candidates(tokens):
            if not _may_cover(cluster.tokens, tokens):
                continue
            covered, share = _compare(cluster.tokens, tokens)
            if share >= 0 and (covered or share >= SIMILARITY) and (int(covered), share) > best_rank:
                best, best_rank = cluster, (int(covered), share)
        return best or self._overflows.get(len(tokens))

    def learn(self, masked: str) -> Cluster:
        """The template of a text: found and, where the text differs, generalised, or made new."""
        cluster = self.find(masked)
        tokens = _tokens(masked)
        if cluster is None:
            full = len(self._candidates(tokens)) >= MAX_LEAF_CLUSTERS
            return self._add(hash_text(plain(masked)), [WILDCARD] * len(tokens) if full else tokens)
        cluster.tokens = [
            mine if mine == theirs else WILDCARD for mine, theirs in zip(cluster.tokens, tokens, strict=True)
        ]
        return cluster

    def parts(self) -> list[tuple[int, str]]:
        """All templates as (key, text), in the order they were made: what `Drain(parts)` takes."""
        return [(cluster.key, cluster.text) for cluster in self.clusters.values()]

    def copy(self) -> "Drain":
        """A tree that may be changed without changing this one."""
        return Drain(self.parts())

    def _first(self, tokens: list[str], *, new: bool) -> tuple[int, str]:
        first = WILDCARD if "<" in tokens[0] or any(map(str.isdigit, tokens[0])) else tokens[0]
        leaf = (len(tokens), first)
        if leaf not in self._leaves and first != WILDCARD:
            if self._firsts.get(len(tokens), 0) >= MAX_FIRST_TOKENS:
                return (len(tokens), WILDCARD)
            if new:
                self._firsts[len(tokens)] = self._firsts.get(len(tokens), 0) + 1
        return leaf

    def _candidates(self, tokens: list[str]) -> list[Cluster]:
        return self._leaves.get(self._first(tokens, new=False), [])

    def _add(self, key: int, tokens: list[str]) -> Cluster:
        cluster = self.clusters[key] = Cluster(key, tokens)
        if all(token == WILDCARD for token in tokens):
            self._overflows[len(tokens)] = cluster
        else:
            self._leaves.setdefault(self._first(tokens, new=True), []).append(cluster)
        return cluster


def _may_cover(template: list[str], tokens: list[str]) -> bool:
    """Whether a text might be near enough; a fast no, for floods of texts that resemble nothing."""
    equal = sum(map(eq, template, tokens))
    return equal >= SIMILARITY * len(tokens) or equal + template.count(WILDCARD) >= len(tokens)


def _compare(template: list[str], tokens: list[str]) -> tuple[bool, float]:
    """(covered, share of equal words); share −1 where a guard word differs. That two masks agree is no evidence."""
    equal, masks = 0, 0
    covered = True
    for mine, theirs in zip(template, tokens, strict=True):
        if mine == theirs:
            equal += 1
            masks += mine[:1] == "<"
        elif mine != WILDCARD:
            covered = False
            if _is_guard(mine) or _is_guard(theirs):
                return False, -1.0
        elif _is_guard(theirs):
            return False, -1.0
    return covered, (equal - masks) / max(len(tokens) - masks, 1)
