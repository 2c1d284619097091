"""The sandbox: two Kubernetes control planes on this machine, simulated nodes, real member processes."""
