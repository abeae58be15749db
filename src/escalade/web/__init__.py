"""HTTP in, HTTP out. Holds no rules."""
