"""`/predict` in the usual way: four features of a line, IsolationForest.score_samples on one row."""

from datetime import datetime

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel
from sklearn.ensemble import IsolationForest

app = FastAPI()
LEVELS = {"debug": 0, "info": 1, "warn": 2, "error": 3, "fatal": 4}
model = IsolationForest(n_estimators=300, max_samples=1024, random_state=0, n_jobs=1)
model.fit(np.random.default_rng(0).random((20_000, 4)))


class Log(BaseModel):
    timestamp: datetime
    level: str | None
    source: str
    message: str


@app.get("/health")
def health() -> dict[str, bool]:
    return {"ok": True}


@app.post("/predict")
def predict(log: Log) -> dict[str, float | bool]:
    row = [[LEVELS.get((log.level or "").lower(), 1), len(log.message), log.timestamp.hour, hash(log.source) % 1000]]
    score = float(-model.score_samples(np.array(row, dtype=float))[0])
    return {"anomaly_score": score, "is_anomaly": score > 0.5}
