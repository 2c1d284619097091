"""hzlink: one command from two kubeconfig contexts to a Hazelcast cluster that other clusters' clients can use."""

__version__ = "0.1.0"
