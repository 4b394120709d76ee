"""The levels in a head, wherever they stand in it: what is known of the head so far, and the tokens that tell more."""

from sentinel.parse import tokens as t
from sentinel.parse import tokens_levels as tl
from sentinel.parse.levels import LEVEL_OF_WORD, SYSLOG_LEVELS

__all__ = ["Levels"]


class Levels:
    """What is known so far of one head; `timed`: a time stands before it; `whole`: it is
    what stands before a time, so that nothing of it is a message.
    """

    __slots__ = (
        "at",
        "attributes",
        "closed",
        "daemon",
        "files",
        "host",
        "level",
        "names",
        "steps",
        "tabbed",
        "text",
        "threads",
        "timed",
        "whole",
    )

    def __init__(self, text: str, at: int, *, timed: bool, level: str | None, whole: bool) -> None:
        self.text, self.at, self.timed, self.level, self.whole = text, at, timed, level, whole
        self.attributes: dict[str, str] = {}
        self.names: list[str] = []
        self.threads: list[str] = []
        self.files: list[str] = []
        self.steps = 0
        self.host: str | None = None
        self.tabbed = text[at : at + 1] == "\t"  # columns between tabs
        self.daemon = False  # a level in small letters with a colon, as daemons in C write it
        self.closed = False  # after `LEVEL: ` no bracket with words is part of the head

    def _leveled(self, word: str, end: int) -> bool:
        self.level, self.at = LEVEL_OF_WORD[word.lower()], end
        return True

    def _take_sure_level(self) -> bool:
        found = tl.LEVEL.match(self.text, self.at)
        if found is None or (
            found["c"] and not self.timed and not self.whole
        ):  # `error: no such file`: the message says it itself
            return False
        self.closed |= self.timed and found["b"] is not None and self.text.startswith(": [", found.end("b"))
        self.daemon |= found["c"] is not None and found[0].endswith(":")
        self.closed |= found["b"] in tl.OF_DNF
        return self._leveled(next(found[way] for way in "abcde" if found[way]), found.end())

    def _take_marked_level(self) -> bool:
        """A level that a name, a facility or PHP stands beside."""
        found = tl.LEVEL_AFTER_NAME.match(self.text, self.at) if self.timed else None
        if found and (found["name2"] or "").lower() in LEVEL_OF_WORD:  # `warn: config: no file`: the first is one
            found = None
        found = found or tl.LEVEL_WITH_NAME.match(self.text, self.at)
        if found:
            said = {name: value for name, value in found.groupdict().items() if value}
            self.closed = "name2" in said  # behind `daemon: LEVEL: ` all is said
            (self.threads if "thread" in said else self.names).append(t.any_of(said, "thread", "name"))
            return self._leveled(t.any_of(said, "level"), found.end())
        found = (
            (tl.COLUMNS.match(self.text, self.at) or tl.LEVEL_PAIR.match(self.text, self.at)) if self.timed else None
        )
        if found and found["level"].lower() in LEVEL_OF_WORD:
            if found["name"]:
                self.names.append(found["name"])
            return self._leveled(found["level"], found.end())
        if self.timed and not self.steps and self._take_columns():
            return True
        found = tl.PADDED_LEVEL.match(self.text, self.at) if self.timed else None
        if found:
            self.names.append(found["name"])
            return self._leveled(found["level"], found.end())
        found = tl.CISCO.match(self.text, self.at)
        if found:
            if self.names:  # the device that speaks
                self.host = self.names.pop()
            self.names.append(found["name"])
            self.attributes["code"] = found["code"]
            self.level, self.at = SYSLOG_LEVELS[int(found["level"])], found.end()
            return True
        found = tl.PHP.match(self.text, self.at)
        if found:
            self.level, self.at = tl.PHP_LEVELS.get(found["a"], "fatal"), found.end()
        return found is not None

    def _take_placed_level(self) -> bool:
        """A word in small letters or a single letter, which only its place beside the time makes a level."""
        found = tl.BARE_LEVEL.match(self.text, self.at) if self.timed else None
        if (
            self.steps
            and not self.whole
            and not (found and self.steps == 1 and "pid" in self.attributes and found["a"].istitle())
        ):
            return False
        if found and (is_apart := tl.is_apart(found)) | (found["a"].lower() not in tl.OF_PROSE):
            self._leveled(found["a"], found.end() if is_apart else self.at)
            return is_apart
        found = tl.LETTER.match(self.text, self.at)
        if found and (
            self.timed
            or (self.whole and self.text[found.end()] == "\t")
            or self.text[found.end() : found.end() + 3].lstrip(",")[:2] == " ["
        ):
            return self._leveled(found["a"], found.end())
        return False

    def _take_late_level(self) -> bool:
        """A level in capitals with a colon behind words that are no prose; pairs among them become attributes."""
        if not self.timed or self.level is not None:
            return False
        found, of_head = tl.LATE_LEVEL.match(self.text, self.at), tl.UNPROSAIC
        if found is None:
            found, of_head = tl.LATE_BRACKET.match(self.text, self.at), tl.UNPROSAIC
        if found is None:
            found, of_head = tl.LATE_WORD.match(self.text, self.at), tl.OF_CODE
        words = found["words"].split() if found else []
        if found is None or not all(map(of_head.search, words)):
            return False
        self.names += [word for word in words if of_head is tl.OF_CODE and not t.is_thread(word) and t.is_name(word)]
        self.attributes.update({key: value for key, value in t.PAIRS.findall(found["words"]) if value})
        return self._leveled(found["level"], found.end())

    def _take_columns(self) -> bool:
        """A level between bars, with the columns before it: threads, ids and the logger."""
        found = tl.PIPES.match(self.text, self.at)
        if found is None or len(found["columns"]) < len("|a|"):
            return False
        for column in map(str.strip, found["columns"].split("|")):
            if t.is_id(column) and column:
                self.attributes.setdefault("pid", column)
            elif t.is_name(column):
                (self.threads if t.is_thread(column) else self.names).append(column)
        return self._leveled(found["level"], found.end())
