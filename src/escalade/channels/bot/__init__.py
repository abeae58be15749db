"""A bot of an organisation's own, asked over HTTP."""
