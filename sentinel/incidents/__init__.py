"""Incidents: anomalies in, what belongs together out, with a title, a severity and a state. Nothing is scored here."""

from sentinel.incidents.group import ACTIVE_S, Odd, group
from sentinel.incidents.incident import SEVERITIES, STATES, Incident, Trend
from sentinel.incidents.related import related

__all__ = ["ACTIVE_S", "SEVERITIES", "STATES", "Incident", "Odd", "Trend", "group", "related"]
