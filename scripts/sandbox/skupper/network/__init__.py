"""Simulated: routers and the network between Sites. TCP relays carry real traffic."""
