"""The map: ingest, collect, deliver, train, score, predict. Joins the rooms; knows neither HTTP nor Prefect.

Each verb is imported from its own file: who only asks the spool need not wait for frames, files and the detector.
"""
