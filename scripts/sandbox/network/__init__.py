"""Simulated: pod addresses on loopback and DNS names in a namespace."""
