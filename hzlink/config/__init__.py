"""Flags, environment, hzlink.yaml, kubeconfig and the record of the last run: resolved to a validated Topology."""
