"""Preflight as data: what must hold before `up` writes anything. Facts are gathered once, then judged."""
