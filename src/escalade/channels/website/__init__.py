"""A public web site, read as a well-behaved visitor reads it."""
