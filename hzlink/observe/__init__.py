"""Reads the clusters: one observation of a site, its links, and waits that react to a watch. Never writes."""
