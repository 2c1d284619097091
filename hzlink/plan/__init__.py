"""From snapshots to steps: desired objects, drift, ownership, teardown, leftovers. Pure, but for kustomize."""
