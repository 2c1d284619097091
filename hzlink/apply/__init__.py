"""Runs the steps of a plan, with the sites in parallel, and holds the lock meanwhile."""
