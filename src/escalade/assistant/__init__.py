"""Answers from the organisation's own knowledge, and the decision to stop answering."""
