"""The word lists: keys that announce a user, port or status; texts that touch privileges or probe; signs of failure."""

from functools import lru_cache

import numpy as np

from sentinel.detect.kernel.hashing import hash_text
from sentinel.detect.lexicon.grave import is_grave
from sentinel.detect.lexicon.patterns import small

__all__ = [
    "ACCEPTED",
    "AUTH_FAILURE",
    "BAD",
    "CLIENT_ERROR",
    "CONNECT",
    "FILTERED",
    "FOLLOW",
    "FOLLOW_FOR",
    "GRAVE",
    "GUARDS",
    "KEY_ADDRESS",
    "KEY_CLASSES",
    "KEY_FOR",
    "KEY_HASHES",
    "KEY_HOST",
    "KEY_MEASURE",
    "KEY_ORDINAL",
    "KEY_PARAM",
    "KEY_PORT",
    "KEY_STATUS",
    "KEY_USER",
    "NAME",
    "PATTERN_BYTES",
    "PATTERN_STARTS",
    "PROBE",
    "QUALIFIER",
    "SENSITIVE",
    "SKIP",
    "STRONG",
    "flags_of",
]

KEY_USER, KEY_FOR, KEY_HOST, KEY_PORT, KEY_PARAM, KEY_STATUS, FOLLOW, SKIP = 1, 2, 4, 8, 16, 32, 64, 128
QUALIFIER, STRONG, FOLLOW_FOR, NAME, KEY_MEASURE, KEY_ADDRESS = 256, 512, 1024, 2048, 4096, 8192
KEY_ORDINAL = 16384

_KEYS: tuple[tuple[int, str], ...] = (
    (
        KEY_USER,
        "user username ruser logname account acct login uname usr principal user_name customer principalname userid"
        " sasl_username account_name accountname client_user subject loginname authid set_id uid owner member",
    ),
    (KEY_FOR, "for by"),
    (KEY_HOST, "from rhost remote_host"),
    (KEY_ADDRESS, "from rhost client src source remote remote_addr remoteaddress remoteaddr client_ip clientip ip rip"),
    (KEY_ADDRESS, "ipaddress ipaddr source_ip src_ip client_addr clientaddr remote_ip srcip attacker"),
    (KEY_PORT, "port spt sport src_port srcport source_port lport localport pid mpid"),
    (KEY_PARAM, "dpt dport dst_port dstport destination_port"),
    (KEY_STATUS, "status code status_code http_status statuscode rc exit_code exitcode errno"),
    (KEY_MEASURE, "size bytes length len took duration latency elapsed time ms used free total count rows offset seq"),
    (KEY_MEASURE, "window ttl memory heap mem pages blocks inode sectors uid gid number line timeout limit"),
    (
        KEY_ORDINAL,
        "task stage attempt tid partition shard step page iteration epoch round batch job order worker thread",
    ),
    (KEY_ORDINAL, "slot channel core device disk rack row column chunk segment version build revision release run"),
    (FOLLOW, "from port by at on via using ssh2 logged with failed rejected uid to is was has not does source tty"),
    (FOLLOW_FOR, "from port via"),
    (QUALIFIER, "invalid illegal authenticating"),
    (NAME, "name"),
    (
        SKIP,
        "unknown not known is was has with name id agent interface request requested session data logged login from and"
        " or in on to by does account input space mode process error denied user users invalid illegal the a an this"
        " list group groups for root: authentication auth failed failure password exists created deleted added that"
        " service services manager count activity access of as port at via using it its all no new incorrect wrong bad rejected refused attempt attempts timeout timed out"
        " succeeded success successful accepted granted blocked locked disabled expired required limit page form prompt"
        " screen shell banner been will cannot could unable mismatch unsuccessful",
    ),
)


MAX_KEY_BYTES = 18
KEY_PLACES = 1024  # a power of two, several times the number of words


def _tables() -> tuple[np.ndarray, np.ndarray]:
    hashes, classes = np.zeros(KEY_PLACES, np.uint64), np.zeros(KEY_PLACES, np.int64)
    for bits, text in _KEYS:
        for word in text.split():
            value = hash_text(word)
            place = value & (KEY_PLACES - 1)
            while hashes[place] not in (0, value):
                place = (place + 1) & (KEY_PLACES - 1)
            hashes[place] = value
            classes[place] |= bits
    return hashes, classes


KEY_HASHES, KEY_CLASSES = _tables()
"""An open-addressing table: hashes of the key words in small letters (0 = empty), and the bits of each."""

_PATTERNS = (
    "/etc/passwd /etc/shadow /etc/sudoers etc%2fpasswd /bin/sh /bin/bash /bin/dash /bin/zsh /dev/shm /dev/tcp ../.."
    " ..%2f %2e%2e union+select union%20select union+all select%20 select+ <script %3cscript javascript: %00 %27"
    " '%20or '+or authorized_keys base64 wp-login phpmyadmin /.env /.git/ eval( xp_cmdshell sleep( cmd.exe %0d%0a"
    " nikto sqlmap nmap masscan wpscan acunetix netsparker nessus dirbuster gobuster @@version information_schema"
).split()

PATTERN_BYTES = np.frombuffer("".join(_PATTERNS).encode(), np.uint8)
PATTERN_STARTS = np.cumsum([0, *(len(pattern) for pattern in _PATTERNS)]).astype(np.int64)
"""Sensitive texts that masking would hide (in paths, addresses, quotes), looked for in the raw bytes."""

_BAD = small(  # besides what is grave (`grave.py`)
    r"fail|error|denied|deny|invalid(?!at)|refus|exception|fatal|panic|abort|unreachable|unable|cannot|timed ?out"
    r"|(?<!negotiated )(?<!on tcp )(?<!session)time ?out(?! set\b| is\b| value|[:=] ?<num>)"
    r"|can't|could ?n[o']t|reject|illegal|unauthori|forbidden|break-in|killed|crash|not found|\[preauth\]"
    r"|unsuccessful|did not receive identification|incorrect|wrong|mismatch|overflow|critical"
    r"|dropped|\blost\b|violat|exceeded|unavailable|not permitted|\bbad\b|block(?:ed|ing)\b"
    r"|broken|\bdead\b|lockout|locked out|not responding|\bstall|starv|exhaust|\bleak|\bhung\b"
    r"|throttl|rolled back|insufficient|expired|too many|unrecover|uncorrect|damaged|missing|disconnected unexpect"
    r"|no route|no such|does ?n[o']t exist|misconfig|unexpected|interrupted|\bskew|overheat|\" S[45]|\bfull\b(?![ -](?:duplex|wake|backup|sync|scan|gc|text|name|report|refresh|build|speed|dump|vacuum))"
    r"|\b(?:is|are|went|to|now|definitely|detected|marked|declared|state|status|link|neighbou?r|peer|interface) \+?s?down\b"
    r"|not ?ready|(?:no|missed|lost) heartbeat|heartbeat.{0,12}(?:miss|late)|breaker.{0,12}open|reset by peer|gone away"
    r"|\bnot (?:valid|allowed|recogni|supported|accepted|match)|\bredundant \w+ request|\bdoes ?n[o']t (?:belong|match|fit|agree|respond)|\bcan not\b"
    r"|prematurely|\bfault|established to (?:idle|active)|above .{0,20}(?:watermark|threshold|limit)|backlog (?:is )?(?:grow|full)",
)
_FAILED = (
    r"fail\w*|invalid|incorrect|wrong|bad|denied|reject\w*|refus\w*|mismatch\w*|unsuccessful\w*|unknown user|user unknown|illegal|unable"
    r"|not (?:allowed|found|recogni\w+|accepted|valid|known|match\w*)|could ?n[o']t|can ?not|too many|exceeded|no such"
    r"|locked(?: out)?|unauthori[sz]ed|bogus|blocked|error|NT STATUS (?:WRONG|LOGON|NO|ACCOUNT)\w*|nonexist\w*"
)
_AUTH = (
    r"pass(?:word|wd|phrase|code)s?|log[- ]?[io]n\w*|sign(?:ed)?[- ]?in|auth\w*|credentials?|sasl|pam|kerberos|log on"
    r"|publickey|keyboard-interactive|username|principal|\w*auth|mfa|otp|2fa|token"
)
_AUTH_FAILURE = small(
    rf"(?:\b(?:{_FAILED})\b.{{0,30}}?\b(?:{_AUTH}))|(?:\b(?:{_AUTH})\b.{{0,40}}?\b(?:{_FAILED})\b)"
    r"|(?:invalid|illegal|unknown|no such|nonexist\w*|bad|blocked|locked|disallowed) user\b|\buser (?:unknown|not found|locked|denied)"
    r"|check pass|\[preauth\]|did not receive identification|permission denied|access denied(?! with code)|break-in attempt"
    r"|\" S40[13] |unauthori[sz]ed|maximum authentication attempts|server security layer detected an error",
)
_DONE = (
    r"succe\w+|accepted|\bok\b|completed|authori[sz]ed|authenticated|granted|allowed|opened|established|NT STATUS OK"
)
_ACCEPTED = small(
    rf"\b(?:{_DONE}).{{0,30}}?(?:{_AUTH})|(?:{_AUTH}).{{0,30}}?\b(?:{_DONE})|session opened|logged (?:in|on)\b"
    r"|\blog[io]n:|\blog[io]n (?:by|on|from|for)\b|type=log[io]n\b|\"log[io]n\"|sasl username=|ISSUE: authtime"
    r"|connection authori[sz]ed|NT STATUS OK|peer connection initiated|connect <USER>@<IP>|new session .{0,20}of user",
)
_ROOT = (  # the user, not a mail's sender, a cron job's owner, or the root of a tree
    r"(?<!from=)(?<!to=)(?<!from=<)(?<!to=<)(?<!ctladdr=)\broot\b(?!=|\) (?:cmd|mail|end)"
    r"|[ -](?:bridge|hub|port|fs|file|dev|vol|part|cause|ca\b|cert|dir|path|elem|node|queue|url|span|complex|\((?:ext|xfs|nfs)))"
)
_SENSITIVE = small(
    rf"{_ROOT}|sudo|COMMAND=|new user|new group|useradd|usermod|groupadd|adduser|password changed|changed password"
    r"|chauthtok|sudoers|(?<!'s )privilege(?! separation)|uid=0\b|UID=<NUM>, GID|authorized keys|\bnc -|base64|wget |curl |chmod|chown|iptables"
    r"|segfault|sigsegv|setuid|escalat|administrator|(?<![-.@/])\badmins?\b(?![-.@/])|\bwheel\b|added to .{0,20}group|capabilit(?:y|ies) (?:added|set|granted|changed)|\bsetcap\b|\bcap (?:sys|set|net|dac|chown) |visudo|passwd"
    r"|polkit|pkexec|audit.*disabled|role\b.*grant|\bgrant|disabled? (?:firewall|audit|selinux|logging)|superuser(?! attribute| connections)"
    r"|(?:firewall|selinux|audit\w*|logging) (?:was )?(?:disabled|stopped|cleared)|policy (?:changed|disabled)|\bsu:|\bsu\b"
    r"|cluster-admin|elevated|impersonat|backdoor|user .{0,30}(?:created|added)|(?:created|added) .{0,20}\buser\b",
)

_CONNECT = small(r"^connection from <(?:IP|HOST|STR|USER)>|^(?:refused )?connect(?:ion)? (?:attempt )?from <IP>")

_CLIENT_ERROR = small(r"\" S4(?!0[13])")

_WALL = r"packets?|tcp|udp|icmp|proto|syn|src|dst|spt|dpt|sport|dport|in on|in=|port|inbound|incoming|traffic|flow"
_FILTERED = small(
    rf"\b(?:block|drop|den[iy]|reject|discard|filter)\w*\b.{{0,80}}?(?:\b|=)(?:{_WALL})\b"
    rf"|\b(?:{_WALL})\b.{{0,120}}?\b(?:block|drop|den[iy]|reject|discard|filter)\w*|\b(?:DPT|SPT)=|\bport[- ]?scan"
    r"|<IP> <IP> <NUM> <NUM> .{0,40}\bREJECT|\b(?:closed|filtered) port\b|^FAIL: .{0,40}\bfrom=<IP>"
    r"|\b(?:S0|REJ|RSTO|RSTR) <IP> <NUM> <IP> <NUM>|<IP> <NUM> <IP> <NUM> .{0,20}\b(?:S0|REJ)\b",
)

MAX_KNOWN = 10_000  # texts whose flags are kept: a text that is only looked at comes again as new

BAD, SENSITIVE, AUTH_FAILURE, ACCEPTED, PROBE, CONNECT, CLIENT_ERROR, FILTERED, GRAVE = (1 << i for i in range(9))

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


@lru_cache(MAX_KNOWN)
def flags_of(masked: str) -> int:
    """What a masked text reads as: BAD (failure), SENSITIVE (privileges), AUTH_FAILURE, ACCEPTED (a log-in that worked),
    CONNECT (somebody comes to the door of a service that people log in to), CLIENT_ERROR (a request refused as wrong),
    FILTERED (a firewall turned a packet or connection away), GRAVE (a crash, damage, or something that ran out)."""
    text = masked.replace("_", " ").lower()  # login_failed
    flags = BAD * (_BAD.search(text) is not None) | SENSITIVE * (_SENSITIVE.search(text) is not None)
    accepted = _ACCEPTED.search(text) is not None
    failed = _AUTH_FAILURE.search(text) is not None
    flags |= CLIENT_ERROR * (_CLIENT_ERROR.search(text) is not None)
    flags |= FILTERED * (_FILTERED.search(text) is not None and not failed)
    flags |= (GRAVE | BAD) * is_grave(text)
    flags |= CONNECT * (_CONNECT.search(text) is not None and not failed)
    return flags | (AUTH_FAILURE | BAD) * failed | (ACCEPTED | SENSITIVE) * (accepted and not failed)
