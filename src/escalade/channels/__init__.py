"""One folder per outside system: a pure `wire` and a thin `channel`."""
