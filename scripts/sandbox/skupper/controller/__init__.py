"""Simulated: Skupper's controller, with its conditions, refusals and order of events."""
