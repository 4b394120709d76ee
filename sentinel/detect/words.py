"""The word lists: keys that announce a user, port or status; texts that touch privileges or probe; signs of failure."""

import re

import numpy as np

from sentinel.detect.hashing import hash_text

__all__ = [
    "ACCEPTED",
    "AUTH_FAILURE",
    "BAD",
    "FOLLOW",
    "FOLLOW_FOR",
    "GUARDS",
    "KEY_CLASSES",
    "KEY_FOR",
    "KEY_HASHES",
    "KEY_HOST",
    "KEY_PARAM",
    "KEY_PORT",
    "KEY_STATUS",
    "KEY_USER",
    "PATTERN_BYTES",
    "PATTERN_STARTS",
    "QUALIFIER",
    "SENSITIVE",
    "SKIP",
    "STRONG",
    "flags_of",
]

KEY_USER, KEY_FOR, KEY_HOST, KEY_PORT, KEY_PARAM, KEY_STATUS, FOLLOW, SKIP = 1, 2, 4, 8, 16, 32, 64, 128
QUALIFIER, STRONG, FOLLOW_FOR = 256, 512, 1024

_KEYS: tuple[tuple[int, str], ...] = (
    (KEY_USER, "user username ruser logname account acct login uname usr principal user_name customer"),
    (KEY_FOR, "for"),
    (KEY_HOST, "from rhost client_ip remote_host"),
    (KEY_PORT, "port spt sport src_port srcport source_port"),
    (KEY_PARAM, "dpt dport dst_port dstport destination_port"),
    (KEY_STATUS, "status code status_code http_status statuscode rc exit_code exitcode errno"),
    (FOLLOW, "from port by at on via using ssh2 logged with failed rejected uid to is was has not does source tty"),
    (FOLLOW_FOR, "from port via"),
    (QUALIFIER, "invalid illegal authenticating"),
    (
        SKIP,
        "unknown not known is was has with name id agent interface request requested session data logged login from and"
        " or in on to by does account input space mode process error denied user users invalid illegal the a an this that"
        " list group groups for root: authentication auth failed failure password exists does created deleted added"
        " service services manager count activity access of as does port at via using it its all no new",
    ),
)


def _tables() -> tuple[np.ndarray, np.ndarray]:
    found: dict[int, int] = {}
    for bits, text in _KEYS:
        for word in text.split():
            found[hash_text(word)] = found.get(hash_text(word), 0) | bits
    keys = sorted(found)
    return np.array(keys, np.uint64), np.array([found[key] for key in keys], np.int64)


KEY_HASHES, KEY_CLASSES = _tables()
"""Hashes (sorted) of the key words in small letters, and the bits of each."""

_PATTERNS = (
    "/etc/passwd /etc/shadow /etc/sudoers etc%2fpasswd /bin/sh /bin/bash /bin/dash /bin/zsh /dev/shm /dev/tcp ../.."
    " ..%2f %2e%2e union+select union%20select union+all select%20 select+ <script %3cscript javascript: %00 %27"
    " '%20or '+or authorized_keys base64 wp-login phpmyadmin /.env /.git/ eval( xp_cmdshell sleep( cmd.exe %0d%0a"
    " nikto sqlmap nmap masscan wpscan acunetix netsparker nessus dirbuster gobuster @@version information_schema"
).split()

PATTERN_BYTES = np.frombuffer("".join(_PATTERNS).encode(), np.uint8)
PATTERN_STARTS = np.cumsum([0, *(len(pattern) for pattern in _PATTERNS)]).astype(np.int64)
"""Sensitive texts that masking would hide (in paths, addresses, quotes), looked for in the raw bytes."""

_BAD = re.compile(
    r"fail|error|denied|deny|invalid|refus|timed? ?out|exception|fatal|panic|abort|unreachable|corrupt|unable|cannot|can't"
    r"|could ?n[o']t|reject|illegal|unauthori|forbidden|break-in|killed|crash|no space|not found|\[preauth\]|unsuccessful"
    r"|did not receive identification|incorrect|wrong|mismatch|overflow|out of memory|oom|critical|dropped|lost|violat"
    r"|exceeded|unavailable|deadlock|traceback|segfault|not permitted|bad |blocked|broken|dead|lockout|locked|\" S[45]\d\d",
    re.I,
)
_FAILED = (
    r"fail\w*|invalid|incorrect|wrong|\bbad\b|denied|reject\w*|refus\w*|mismatch\w*|unsuccessful|unknown|illegal|unable"
    r"|not (?:allowed|found|recogni\w+|accepted|valid|known|match\w*)|could ?n[o']t|can ?not|too many|exceeded|no such"
    r"|locked|unauthori[sz]ed|bogus|blocked|error"
)
_AUTH = (
    r"pass(?:word|wd|phrase|code)s?|log[- _]?[io]n\w*|log in|sign[- ]?in|auth\w*|credentials?|sasl|pam|kerberos"
    r"|preauth|publickey|keyboard-interactive|\buser\b(?!-)|username|identity"
)
_AUTH_FAILURE = re.compile(
    rf"(?:\b(?:{_FAILED})\b.{{0,30}}?(?:\b|_)(?:{_AUTH}))|(?:(?:\b|_)(?:{_AUTH})\b.{{0,40}}?\b(?:{_FAILED})\b)"
    r"|check pass|\[preauth\]|did not receive identification|permission denied|access denied|break-in attempt|\" S40[13] "
    r"|unauthori[sz]ed|maximum authentication attempts",
    re.I,
)
_ACCEPTED = re.compile(
    r"accepted (?:password|publickey|keyboard|hostbased|gssapi)|session opened|logged in|log[io]n (?:ok|success|accepted)"
    r"|login by|successful(?:ly)? (?:log|auth|sign)|(?:log[io]n|auth\w*|sign-?in) (?:was )?(?:successful|succeeded)"
    r"|new session .{0,20}of user|authenticated (?:user|as|ok|successfully)",
    re.I,
)
_SENSITIVE = re.compile(
    r"accepted (?:password|publickey|keyboard)|\broot\b|sudo|COMMAND=|new user|new group|useradd|usermod|groupadd|adduser"
    r"|password changed|changed password|chauthtok|sudoers|privilege|uid=0\b|UID=<NUM>, GID|authorized_keys|\bnc -|base64"
    r"|wget |curl |chmod|chown|iptables|segfault|sigsegv|setuid|escalat|administrator|\badmins?\b|wheel\b|added to group"
    r"|capabilit|visudo|passwd|polkit|pkexec|audit.*disabled|logged in|session opened|login success|role\b.*grant|grant"
    r"|disabled (?:firewall|audit|selinux)|firewall (?:disabled|stopped)|policy (?:changed|disabled)|superuser|\bsu:|\bsu\b",
    re.I,
)

BAD, SENSITIVE, AUTH_FAILURE, ACCEPTED = 1, 2, 4, 8

GUARDS = frozenset(
    "failed fail failure failing succeeded success successful successfully accepted rejected denied allowed granted refused"
    " opened closed open close opening closing started stopped start stop starting stopping up down enabled disabled"
    " connected disconnected connect disconnect connection disconnection added removed deleted created ok error warning"
    " fatal critical info invalid valid lost restored login logout online offline active inactive locked unlocked mounted"
    " unmounted enter exit entered exited begin end finished aborted completed killed passed timeout not no bad good true"
    " false high low full empty exceeded recovered healthy unhealthy reachable unreachable read write get post put delete"
    " head info debug yes received sent receiving sending request response block allow unknown".split()
)
"""Words that turn a text into another: templates that differ in one of them are never merged."""


def flags_of(masked: str) -> int:
    """What a masked text reads as: BAD (failure), SENSITIVE (privileges), AUTH_FAILURE, ACCEPTED (a log-in that worked)."""
    flags = BAD * (_BAD.search(masked) is not None) | SENSITIVE * (_SENSITIVE.search(masked) is not None)
    accepted = _ACCEPTED.search(masked) is not None
    failed = _AUTH_FAILURE.search(masked) is not None
    return flags | (AUTH_FAILURE | BAD) * failed | ACCEPTED * (accepted and not failed)
