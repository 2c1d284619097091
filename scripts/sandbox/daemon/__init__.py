"""The sandbox's processes: the guard removes everything at the end, the supervisor runs the parts."""
