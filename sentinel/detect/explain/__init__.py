"""Why a line is an anomaly: causes, kind, reasons in words, and the incident it belongs to."""
