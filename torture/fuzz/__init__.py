"""Whatever anyone sends is answered as it should be: raw bodies, and everything the API's description allows.

grammar.py   webhook bodies, good and odd, and what may happen to their bytes
bodies.py    the part that sends a million of them, in this process
schema.py    the part that asks the developer API everything its OpenAPI says, and what it does not
schema.toml  what a description cannot say
"""
