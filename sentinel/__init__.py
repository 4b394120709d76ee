"""Log Sentinel: log lines in, none lost, the strange ones named with their reasons.

The rooms, from the door to the floor: cli, wiring, pipeline, then simulate, collect, parse, spool, store, detect and
alert side by side, then records and durable, then errors. An arrow only ever points down that list.
"""

__version__ = "0.1.0"
