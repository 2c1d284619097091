"""The `skupper` command of release 2.2.1, as far as hzlink and its users meet it: a stand-in.

Starts quickly: imports only the standard library and PyYAML.
"""
