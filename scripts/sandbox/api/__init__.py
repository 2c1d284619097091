"""Real: a small client for a Kubernetes API server, used by everything here."""
