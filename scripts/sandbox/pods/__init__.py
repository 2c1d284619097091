"""Simulated: the kubelet and containers. Real programs (Hazelcast members and clients) run behind pods."""
