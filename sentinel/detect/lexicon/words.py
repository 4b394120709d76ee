"""The word lists: keys that announce a user, port or status; texts that touch privileges or probe; signs of failure."""

import numpy as np

from sentinel.detect.kernel.flags import Flag
from sentinel.detect.kernel.hashing import hash_text
from sentinel.detect.lexicon.entry import Concept
from sentinel.detect.lexicon.in_use import concepts_of
from sentinel.detect.lexicon.reader import plain_texts

__all__ = [
    "FOLLOW",
    "FOLLOW_FOR",
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
    "QUALIFIER",
    "SKIP",
    "STRONG",
    "TROUBLE_BYTES",
    "TROUBLE_STARTS",
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
        " screen shell banner been will cannot could unable mismatch unsuccessful assigned assigns granted grants revoked"
        " given removed changed updated modified promoted attached transferred elevated",
    ),
)


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

_PATTERNS = plain_texts(Concept.PROBE)

_TROUBLE = plain_texts(Concept.TROUBLE)

PATTERN_BYTES = np.frombuffer("".join(_PATTERNS).encode(), np.uint8)
PATTERN_STARTS = np.cumsum([0, *(len(pattern) for pattern in _PATTERNS)]).astype(np.int64)
"""Probes that masking would hide (in paths, addresses, quotes), looked for in the raw bytes."""

TROUBLE_BYTES = np.frombuffer("".join(_TROUBLE).encode(), np.uint8)
TROUBLE_STARTS = np.cumsum([0, *(len(text.encode()) for text in _TROUBLE)]).astype(np.int64)
"""Beginnings of words for trouble: a zero beside one of them stays in the template (`zero_counts.py`)."""

_FLAGS = {
    Concept.FAILURE: Flag.BAD,
    Concept.PRIVILEGE: Flag.SENSITIVE,
    Concept.FAILED_LOGIN: Flag.AUTH_FAILURE,
    Concept.WORKED_LOGIN: Flag.ACCEPTED,
    Concept.PROBE: Flag.PROBE | Flag.SENSITIVE,
    Concept.CONNECTION: Flag.CONNECT,
    Concept.CLIENT_ERROR: Flag.CLIENT_ERROR,
    Concept.FILTERED: Flag.FILTERED,
    Concept.GRAVE_FAILURE: Flag.GRAVE,
}


def flags_of(masked: str) -> int:
    """What a masked text reads as, in bits of `Flag`: those that the lexicon knows."""
    flags = 0
    for concept in concepts_of(masked.replace("<ZERO>", "0")):
        flags |= _FLAGS.get(concept, 0)
    return flags
