"""Verification by traffic: `verify` and `bench`, from this machine or from a pod, and the saved verdict."""
