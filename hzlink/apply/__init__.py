"""Runs the steps of a plan, sites side by side, while holding the lock."""
