"""hzlink: links Hazelcast clients in one Kubernetes cluster to a Hazelcast cluster in another, through Skupper."""

__version__ = "0.1.0"
