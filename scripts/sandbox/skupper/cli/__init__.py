"""Simulated: the commands `version`, `token issue` and `token redeem` of the skupper CLI 2.2.1.

Starts quickly: imports only the standard library and PyYAML.
"""
