"""The preflight checks: what must be true before `up` writes anything. Facts are gathered once, then judged."""
