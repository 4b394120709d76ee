"""A head taken apart token by token: level, ids, threads, logger and place in code, until the message begins."""

import re
from typing import Final

from sentinel.parse import columns
from sentinel.parse import tokens as t
from sentinel.parse import tokens_levels as tl
from sentinel.parse.levels import LEVEL_OF_WORD
from sentinel.parse.peel_levels import Levels

__all__ = ["Peel"]

MAX_TOKENS: Final = 14


class Peel(Levels):
    """What is known so far of one head; `run` takes all of its tokens."""

    __slots__ = ()

    def run(self) -> int:
        """Where the last token ends."""
        if self.timed and self._take_apart() and self.names:
            return self.at
        end = self.at
        for _ in range(MAX_TOKENS):
            gap = t.SEPARATORS.match(self.text, self.at)
            if gap:
                self.at = gap.end()
            if self.at >= len(self.text) or not self._take():
                break
            self.steps += 1
            end = self.at
        return end

    def _take_apart(self) -> bool:
        """Take all columns of a head that is parted into such."""
        found = columns.read(self.text, self.at, self.level)
        if found is None:
            return False
        self.names, self.threads, self.files = found.names, found.threads, found.files
        self.attributes, self.level = found.attributes, found.level
        self.at, self.steps = found.end, 1
        return True

    def source(self) -> str | None:
        """The logger; a thread called main beside a place in code is one; else the file of code."""
        for names in (self.names, ["main"] if self.files and self.threads[-1:] == ["main"] else [], self.files):
            if names:
                return names[0]
        return None

    def _take(self) -> bool:
        """Take one token off; False where the message begins."""
        if self.level is None and (self._take_marked_level() or self._take_sure_level() or self._take_placed_level()):
            return True
        if self.text[self.at] in "[({<":
            return self._take_bracket()
        if self.closed and not self.whole:
            return self._take_code()
        if self.level is not None and self.names and not self.whole:
            return self._take_code()
        return (
            self._take_number()
            or self._take_code()
            or self._take_span()
            or self._take_program()
            or self._take_name()
            or self._take_late_level()
        )

    def _take_bracket(self) -> bool:
        found = t.BRACKET.match(self.text, self.at)
        if found is None or (self.closed and found["b"]):
            return False
        inside = next(group for group in found.groups() if group is not None).strip()
        if found["b"] and self.files and not self.names and not t.is_class(inside):  # tracer's `app.js:12 (pay)`
            self.attributes.setdefault("function", inside)
        elif found["d"] and self.level is None and self.timed:  # UniFi's `<launcher> INFO`
            self.threads.append(inside)
        elif t.is_id(inside) or inside in t.NOTHING:
            if inside and "pid" not in self.attributes:
                self.attributes["pid"] = inside.lstrip("#")
        elif t.is_pairs(inside):
            self.attributes.update({key: value.strip('"') for key, value in t.PAIRS.findall(inside)})
            self.level = self.level or LEVEL_OF_WORD.get(self.attributes.get("level", "").lower())
        elif (code := t.CODE.fullmatch(inside)) is not None:
            self.files.append(code["file"])
        elif (marked := tl.THREAD_LEVEL.fullmatch(inside)) is not None and self.level is None:
            said = {name: value for name, value in marked.groupdict().items() if value}
            (self.threads if "thread" in said else self.names).append(t.any_of(said, "thread", "name"))
            self.level = LEVEL_OF_WORD[t.any_of(said, "level").lower()]
        elif self.closed or (self.level is not None and self.names):
            return False
        elif not self._take_words(inside):
            if self.level is None or not t.CLASS_BEHIND.match(self.text, found.end()):
                return False
            self.threads.append(inside)
        self.at = found.end()
        return True

    def _take_words(self, inside: str) -> bool:
        """A bracket with words in it: a thread, a logger, or the message's own."""
        if t.is_thread(inside):
            self.threads.append(inside)
            return True
        if (owned := t.NAME_PID.fullmatch(inside)) is not None:
            self.names += [owned["name"]] if owned["name"] else []
            self.host = owned["host"] or self.host
            self.attributes.setdefault("pid", owned["pid"])
            return True
        inside = re.sub(r" +(?=:)", "", inside)  # Salt pads it: `salt.state       :2022`
        if not t.is_name(inside) or inside.endswith(("Exception", "Error")):
            return False
        inside = re.sub(r"(?<=\.[ch])\.[0-9]+$", "", inside)  # lighttpd's `server.c.170`
        name, _, number = inside.rpartition(":")
        self.names.append((name if name and number.isdigit() else inside).partition(",")[0].rstrip("/ "))
        return True

    def _take_number(self) -> bool:
        found = t.NUMBER.match(self.text, self.at) or (t.PLAIN_NUMBER.match(self.text, self.at) if self.whole else None)
        name = "pid"
        if found is None and self.whole:
            found, name = t.CODE_NUMBER.match(self.text, self.at), "code"
        if found is None:
            found, name = t.REQUEST.match(self.text, self.at), "request"
        if found is None:
            found, name = t.THREAD_ID.match(self.text, self.at), "thread"
        if found is None and self.timed and self.level is not None and not self.threads:
            thread = t.THREAD_WORD.match(self.text, self.at)
            if thread is not None and t.is_thread(thread["thread"]):
                self.threads.append(thread["thread"])
                self.at = thread.end()
                return True
        if found is None:
            return False
        self.attributes.setdefault(name, found[0].partition(":")[0].lstrip("#"))
        self.at = found.end()
        return True

    def _take_code(self) -> bool:
        if (found := t.LAGER.match(self.text, self.at)) is not None and not self.names:
            self.attributes.setdefault("function", found["function"])
            return self._named(found["name"], found["line"], "line", found.end(), is_logger=True)
        found = t.CODE.match(self.text, self.at) if self.timed else None
        if found is None:
            return False
        self.files.append(found["file"])
        self.closed |= found["function"] is not None
        self.attributes.setdefault("line", found["line"] or found["line2"] or found["line3"])
        self.at = found.end()
        return True

    def _take_span(self) -> bool:
        found = t.SPAN.match(self.text, self.at)
        if found is None:
            return False
        self.attributes.setdefault("span", found[0].rstrip(":"))
        self.at = found.end()
        return True

    def _take_program(self) -> bool:
        found = t.PROGRAM.match(self.text, self.at) if self.timed and not self.names else None
        if found is None:
            return False
        if found["host"] and self.steps:
            return False
        self.host = found["host"] or self.host
        if found["name"] == "PID":  # Azure's `PID[812]`
            return self._numbered(found["pid"], found.end())
        return self._named(found["name"], found["pid"], "pid", found.end())

    def _numbered(self, pid: str, end: int) -> bool:
        self.attributes.setdefault("pid", pid)
        self.at = end
        return True

    def _take_name(self) -> bool:
        if self.names:
            return False
        if self.level is None:
            return self._take_name_before_level() or self._take_marked_name()
        self._take_database()
        return self._take_marked_name() or self._take_set_apart()

    def _take_set_apart(self) -> bool:
        """A logger that no mark follows: told by tabs, by a context behind it, by its dots."""
        if self.tabbed and (found := t.TABBED.match(self.text, self.at)) is not None:
            return self._named(found["name"], None, "at", found.end(), is_logger=True)
        found = t.CLASS_ON_THREAD.match(self.text, self.at) if self.timed else None
        if found is not None and (t.is_id(found["thread"]) or t.is_thread(found["thread"])):
            self.threads.append(found["thread"])
            return self._named(found["name"], None, "at", found.end(), is_logger=True)
        if (found := t.IN_CONTEXT.match(self.text, self.at)) is not None:
            self.attributes.setdefault("context", found["context"].strip())
            return self._named(found["name"], None, "at", found.end())
        found = t.DOTTED.match(self.text, self.at)
        if found is None or t.EXCEPTION.fullmatch(found["name"]):
            return False
        return self._named(found["name"], None, "at", found.end())

    def _take_name_before_level(self) -> bool:
        found = t.WORD_BEFORE_LEVEL.match(self.text, self.at)
        if found is None:
            return False
        bare = found["name"].isupper() and not found["pid"] and not self.whole
        if bare and self.text[found.end()] != "%":  # `SERVICE ALERT: web1`
            return False
        return self._named(found["name"].rstrip(":-"), found["pid"], "pid", found.end())

    def _take_database(self) -> None:
        found = t.DATABASE.match(self.text, self.at) if "pid" in self.attributes else None
        if found:
            self.attributes.setdefault("database", found["name"])
            self.at = found.end()

    def _take_marked_name(self) -> bool:
        found = t.NAMED.match(self.text, self.at)
        if (
            found is None
            or not t.is_marked(found, has_level=self.level is not None)
            or ((found["mark3"] or found["mark4"]) and self.files)
            or (self.files and found["name"].isupper())  # `Service.java:12 - JOINING: token 7`
        ):
            return False
        if found["mark"] and (self.files or self.daemon) and self._is_function(found["name"]):
            self.attributes.setdefault("function", found["name"])
            self.at = found.end()
            return True
        if found["mark"] and self.text.startswith("  ", found.end()) and "." not in found["name"]:
            return False  # `Version:  2.9` of a banner
        end = found.end() - len(found["mark5"] or "")
        name = found["name"].partition("[")[0]
        is_logger = found["mark"] and name.isalpha() and name != "main"  # `HttpServer: `, beside `http-8080: `
        return self._named(name, (found["line"] or "").lstrip(":@#"), "at", end, is_logger=bool(is_logger))

    def _is_function(self, name: str) -> bool:
        """Whether a name behind the file of code is that of a function: C's have small letters."""
        return t.SNAKE.fullmatch(name) is not None or (
            bool(self.files) and self.files[-1].endswith(".c") and name.islower()
        )

    def _named(self, name: str, beside: str | None, attribute: str, end: int, *, is_logger: bool = False) -> bool:
        (self.threads if t.is_thread(name) and not is_logger else self.names).append(name)
        if beside:
            self.attributes.setdefault(attribute, beside)
        self.at = end
        return True
