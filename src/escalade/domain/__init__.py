"""What things mean. Pure: standard library only, no I/O, no clock, no randomness, no logging."""
