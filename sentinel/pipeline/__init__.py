"""The map: ingest, collect, deliver, train, score, predict. Joins the rooms; knows neither HTTP nor Prefect."""

from sentinel.pipeline.collect import collect
from sentinel.pipeline.deliver import deliver
from sentinel.pipeline.ingest import Answer, Intake, Submission
from sentinel.pipeline.live import Live
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.report import Report
from sentinel.pipeline.score import score_missing
from sentinel.pipeline.train import TrainReport, retrain, train

__all__ = [
    "Answer",
    "Intake",
    "Live",
    "Report",
    "Sentinel",
    "Submission",
    "TrainReport",
    "collect",
    "deliver",
    "retrain",
    "score_missing",
    "train",
]
