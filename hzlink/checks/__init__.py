"""Preflight as data: what must be so before `up` writes anything. Facts are gathered once, then judged."""
