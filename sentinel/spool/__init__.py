"""The spool room: the durable log on disk between the door and the readers."""

from sentinel.spool.committer import Committer
from sentinel.spool.dead_letters import DeadLetter
from sentinel.spool.incidents import KEEP_INCIDENTS, IncidentRow
from sentinel.spool.ledger import Ledger, SourceBooks
from sentinel.spool.quarantine import Quarantined
from sentinel.spool.readers import Lease, Position
from sentinel.spool.repair import Repair
from sentinel.spool.schema import DeadLettersFullError, LeaseLostError, SpoolDamagedError
from sentinel.spool.spool import Spool
from sentinel.spool.state import Answer
from sentinel.spool.transaction import Span, Transaction

__all__ = [
    "KEEP_INCIDENTS",
    "Answer",
    "Committer",
    "DeadLetter",
    "DeadLettersFullError",
    "IncidentRow",
    "Lease",
    "LeaseLostError",
    "Ledger",
    "Position",
    "Quarantined",
    "Repair",
    "SourceBooks",
    "Span",
    "Spool",
    "SpoolDamagedError",
    "Transaction",
]
