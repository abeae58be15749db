"""Measurements beside a baseline in the same run. Trust the ratios: the machines are noisy."""
