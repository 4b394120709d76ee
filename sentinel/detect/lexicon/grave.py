"""The words of grave failures: something ran out, is damaged, gave up, fell apart or is no longer valid.

Written from what kernels, databases, run-times, clusters and machines are known to print. One such line in a template
never seen before is worth an alarm where many other failures are everyday.
"""

from sentinel.detect.lexicon.patterns import small

__all__ = ["is_grave"]

_STORES = r"dis[ck]|file ?system|volume|partition|pool|device|mount|drive|tablespace|datastore|table|director\w+|index"
_STORES += r"|journal|log|archive\w*|tape|mailbox|spool"
_USED_UP = r"(?:is |are |was |has been |left |nearly |almost |critically )*(?:low|full|exhaust\w*|depleted|exceeded)"
_RAN_OUT = (
    r"out[- ]of[- ](?:\w+[- ])?(?:memory|disk|space|descriptors|inodes|swap)|outofmemory|\boom\b|oom[- ]?kill",
    r"cannot allocate|alloc\w* fail|failed to m?alloc|heap (?:space|exhaust)|gc overhead|too many open files",
    r"\be(?:nomem|nospc|mfile|nfile|dquot|io|rofs)\b|no (?:more |free |usable )?(?:disk )?space|errno 28|errcode: 28",
    r"(?:cannot|can't|unable to|fail\w* to) (?:extend|reclaim|reserve)|limit exceeded for",
    r"(?:not enough|insufficient) (?:\w+ )?(?:space|memory|storage|disk|room)",
    r"(?:low|short|running (?:low|out)) (?:on|of) (?:\w+ )?(?:space|memory|disk|storage|inodes)",
    rf"\b(?:space|memory|storage|inodes?|descriptors?) {_USED_UP}",
    rf"\b(?:{_STORES})\b.{{0,40}}\b(?:full|exhausted|at or near capacity|over quota)\b",
    r"quota.{0,12}(?:exceed|exhaust|reached|full)|exceed\w*.{0,16}quota|watermark.{0,16}exceed",
    r"(?:disk|memory|storage|space|swap|inode) (?:usage|utili[sz]ation|use)\b.{0,24}(?:exceed|critical)",
    r"(?:disk|memory|storage|resource|space).{0,16}(?:alarm|pressure|threshold)|evict\w+ (?:manager|pods?)",
)
_DAMAGED = (
    r"corrupt|inconsisten|integrity|out of sync|diverged|data loss|lost page write|unexpected (?:eof|end of file)",
    r"checksum.{0,12}(?:err|fail|invalid|mismatch|bad|wrong)|(?:bad|invalid|wrong) checksum|crc (?:err|mismatch|fail)",
    r"bad (?:block|sector|magic)|(?:invalid|missing|lost|torn) (?:page|record|chunk|segment|block)s?\b",
    r"(?:i/?o|input/output|medium|media|hardware|parity|read|write|disk|seek) error|\bsense data",
    r"(?:remount\w*|forced|marked|became|turned|is now|switch\w*) .{0,16}read[- ]only|cluster[_ ]block",
    r"read[- ]only (?:file ?system|replica)|unreadable|uncorrect\w+|unrecoverable|irrecoverable|wraparound",
    r"(?:fsync|checkpoint|recovery|rollback).{0,12}fail|degraded|\bfault(?:y|ed)\b|predict\w+ fail",
    r"short (?:write|read)\b|fail(?:ed|ure|ing)? (?:event|disk|drive|fan|array)",
)
_BUGS = (
    r"(?:type|key|attribute|value|index|name|reference|syntax|import|range|zero ?division|unbound ?local)error",
    r"module ?not ?found|illegal ?(?:state|argument)|null ?(?:pointer|reference)|class ?(?:cast|not ?found)",
    r"no ?such ?(?:method|field|class|module)|no ?class ?def|out ?of ?(?:bounds|range)|unsatisfied|bean ?creation",
    r"invalid ?(?:cast|operation ?exception)|argument ?null|concurrent ?modification|cannot read propert",
    r"is not a function|undefined (?:symbol|method|function|variable|index)|stack ?overflow|double free",
    r"\bbug:|\boops\b|stack smash|buffer overflow|assert\w* (?:fail|violat)|traceback|goroutine|access violation",
    r"(?:unhandled|uncaught|fatal|unexpected) (?:\w+ )?(?:exception|error|signal|state|shutdown|reboot)",
)
_GAVE_UP = (
    r"\bpanic|segfault|segmentation fault|\b(?:sig)?(?:segv|abrt|sigbus|sigill)\b|core[ -]?dump|dumped core|\bfaulting",
    r"code=(?:dumped|killed)|general protection|bus error|\bcrash(?:ed|ing|loop)|catastroph|giving up|run failed",
    r"(?:exited|terminated|died|stopped) (?:unexpected|abnormal)|(?:exited|killed|terminated) (?:by|with|on) signal",
    r"not syncing|(?:soft|hard) lock-?up|hung[_ ]task|blocked for more than|(?:self-detected|rcu\w*) stall",
    r"machine check|\bmce:|over[- _]?temp|overheat|temperature.{0,20}(?:critical|above|exceed|too high)",
    r"thermal (?:shutdown|trip|throttl)|power (?:fail|loss)|(?:under|over)-?voltage|refus\w+ to start",
    r"failed to (?:start|boot|initiali[sz]e|recover|unseal|decrypt|mount|fork|elect|persist)|programming error",
    r"back-?off (?:restart|pull)ing|(?:image ?pull|crash ?loop) ?back-?off|err ?image ?pull|container ?config ?error",
    r"failed ?(?:scheduling|attach ?volume)|\brun -> stop",
    r"critical (?:error|fail|condition)|\bbug ?check\b|blue ?screen|(?:unclean|dirty|abnormal) shutdown",
    r"without cleanly shutting",
    r"(?:start-?up|boot|initiali[sz]ation|migration) (?:has )?failed|\[(?:emerg|alert|crit)\]",
    r"emergency (?:mode|shutdown|stop)|e-stop|interlock|\babend\b",
)
_MEMBERS = r"controller|node|host|peer|master|primary|leader|replica|member|shard|device|sensor|osd|broker|array|disk"
_MEMBERS += r"|drive|fan|raid|psu|power supply|pool|mirror|worker|process|child|daemon|plugin|backend|cluster|md\d*"
_GONE = r"(?:is|went|gone|marked|declared|has) (?:been )?(?:down|dead|offline|lost|failed|died|unreachable)"
_FELL_APART = (
    r"deadlock|split[- ]brain|quorum.{0,20}lost|lost quorum|no (?:quorum|leader|primary|master|elected)|unhealthy",
    r"(?:leader|master|primary) not (?:yet )?(?:discovered|elected|found)",
    r"\b(?:bgp|ospf|isis|is-is|bfd|lacp|vrrp|hsrp)\b.{0,80}\b(?:to (?:idle|down|init)|went down|is down|lost)\b",
    rf"\b(?:{_MEMBERS})\b.{{0,24}}\b{_GONE}\b|conntrack.{{0,12}}full|network partition",
    r"under-?replicated|not enough (?:replicas|in-sync|nodes|members)|(?:slave|replica) (?:sql|i/?o)\b.{0,60}could not",
    r"replication.{0,20}(?:broken|stopped|fail|abort)|(?:broken?|stopped|failed|aborted) replication",
    r"clock.{0,20}(?:skew|wrong|jump|drift|unsynchron)|synchroni[sz]e\b.{0,6}no |time (?:jumped|went backward)",
)
_NOT_VALID = (
    r"(?:certificate|licen[cs]e|feature|key|subscription)\b.{0,30}expired",
    r"licen[cs]e.{0,40}(?:denied|invalid|exceed|limit|fail)",
    r"configuration (?:is )?(?:error|invalid)|(?:invalid|bad|broken) config|(?:schema|version) mismatch|incompatible",
)
_GRAVE = small("|".join((*_RAN_OUT, *_DAMAGED, *_BUGS, *_GAVE_UP, *_FELL_APART, *_NOT_VALID)))


def is_grave(masked: str) -> bool:
    """Whether a masked text speaks of a crash, of damage, or of something that ran out."""
    return _GRAVE.search(masked.lower()) is not None
