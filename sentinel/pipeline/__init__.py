"""The map: ingest, collect, deliver, train, score, predict. Joins the rooms; knows neither HTTP nor Prefect.

What needs the detector (`live`, `train`, `score`, `files`) is imported from its own file: collecting and delivering
begin in half the time without it.
"""

from sentinel.pipeline.collect import collect
from sentinel.pipeline.deliver import deliver
from sentinel.pipeline.ingest import Answer, Intake, Submission
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.report import Report

__all__ = ["Answer", "Intake", "Report", "Sentinel", "Submission", "collect", "deliver"]
