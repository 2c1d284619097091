"""Real: two control planes (etcd, kube-apiserver, controller manager, scheduler), their programs built and started."""
