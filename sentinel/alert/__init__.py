"""Alert: an incident as a dict in, a message to who is to be told out. What is anomalous is decided elsewhere."""

from sentinel.alert.plan import Told, plan
from sentinel.alert.rules import Route, Rules, read_rules
from sentinel.alert.send import Notice, send, shown_address

__all__ = ["Notice", "Route", "Rules", "Told", "plan", "read_rules", "send", "shown_address"]
