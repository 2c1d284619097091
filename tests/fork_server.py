"""Imported last by the process that forks hzlink (see forked.py)."""

import gc

import tests.forked  # noqa: F401 each forked process needs it

# The garbage collector of a forked process would write to all objects that exist now, which copies their memory.
gc.collect()
gc.freeze()
