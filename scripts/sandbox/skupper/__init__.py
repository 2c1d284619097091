"""A stand-in for Skupper 2.2.1: the controller, the routers' network and the `skupper` command, all simulated.

Written from Skupper's documented and observed behaviour, for trying and testing hzlink where there is no
Skupper. The objects, conditions, messages, exit codes and timers are like the real ones; certificates, routers
and the transport between them are not real.
"""

VERSION = "2.2.1"
"""The Skupper release that is imitated."""
