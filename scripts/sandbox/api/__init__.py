"""Real: a small client for a Kubernetes API server, used by all programs of the sandbox."""
