"""Proof by traffic: what `verify` and `bench` do, from this machine or from a pod, and the saved verdict."""
