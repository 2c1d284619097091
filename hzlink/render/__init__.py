"""Renders results and events as text. Makes no calls to a cluster."""
