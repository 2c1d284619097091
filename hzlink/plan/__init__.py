"""Makes steps from snapshots: wanted objects, drift, ownership, teardown, leftovers. Pure, except for kustomize."""
