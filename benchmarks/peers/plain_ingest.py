"""Log intake in the tutorial's way: a list of models, one durable SQLite commit a request."""

import sqlite3
import tempfile
import threading
from datetime import datetime
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
database = sqlite3.connect(Path(tempfile.mkdtemp()) / "logs.db", check_same_thread=False)
database.execute("PRAGMA journal_mode=WAL")
database.execute("PRAGMA synchronous=FULL")
database.execute("CREATE TABLE logs (timestamp TEXT, level TEXT, source TEXT, message TEXT)")
lock = threading.Lock()


class Log(BaseModel):
    timestamp: datetime
    level: str | None
    source: str
    message: str


@app.get("/health")
def health() -> dict[str, bool]:
    return {"ok": True}


@app.post("/logs", status_code=202)
def take(logs: list[Log]) -> dict[str, int]:
    rows = [(log.timestamp.isoformat(), log.level, log.source, log.message) for log in logs]
    with lock, database:
        database.executemany("INSERT INTO logs VALUES (?, ?, ?, ?)", rows)
    return {"accepted": len(rows)}
