"""Reads the clusters: observations of sites, links, and waits with watches. Never writes."""
