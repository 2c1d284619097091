"""A stand-in for Skupper 2.2.1: the controller, the routers' network and the `skupper` command, all simulated.

Written from Skupper's documented and observed behaviour, to try and test hzlink without Skupper.
Objects, conditions, messages, exit codes and delays are those of the real one; certificates, routers and the
transport between them are simulated.
"""

VERSION = "2.2.1"
"""The Skupper release that is simulated."""
