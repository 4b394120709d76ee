"""Log Sentinel: log lines in, none lost, the strange ones named with their reasons.

The rooms, from the door to the floor: cli, stack, wiring, pipeline, evaluation, left_behind and settings; then
simulate, collect, parse, spool, store, detect, incidents and alert side by side; then records, durable and
own_files, then streams, failpoints and moments, then errors and counted, then secrecy. An arrow only points down.
"""

__version__ = "0.1.0"
