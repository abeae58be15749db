"""Use cases: the only place that joins store, channels and assistant."""
