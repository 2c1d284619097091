"""The faults that tests can set, and the delays."""
