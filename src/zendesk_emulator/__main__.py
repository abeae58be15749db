"""Run `python -m zendesk_emulator`."""

from zendesk_emulator.cli import main

main()
