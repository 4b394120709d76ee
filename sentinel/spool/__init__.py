"""The spool room: the durable log on disk between the door and the readers."""

from sentinel.spool.answers import ANSWER_KEPT_S, Answer
from sentinel.spool.committer import Committer
from sentinel.spool.dead_letters import DeadLetter
from sentinel.spool.incidents import KEEP_INCIDENTS, IncidentRow
from sentinel.spool.ledger import Ledger, SourceBooks
from sentinel.spool.packing import Packed
from sentinel.spool.quarantine import Quarantined
from sentinel.spool.readers import Lease, Position
from sentinel.spool.repair import Repair
from sentinel.spool.schema import DeadLettersFullError, LeaseLostError, SpoolDamagedError
from sentinel.spool.spool import Spool
from sentinel.spool.transaction import Span, Transaction

__all__ = [
    "ANSWER_KEPT_S",
    "KEEP_INCIDENTS",
    "Answer",
    "Committer",
    "DeadLetter",
    "DeadLettersFullError",
    "IncidentRow",
    "Lease",
    "LeaseLostError",
    "Ledger",
    "Packed",
    "Position",
    "Quarantined",
    "Repair",
    "SourceBooks",
    "Span",
    "Spool",
    "SpoolDamagedError",
    "Transaction",
]
