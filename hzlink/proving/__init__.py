"""Proof by traffic: what `verify` and `bench` do, from here or from a pod, and what comes of it."""
