"""Makes a report from snapshots: sites, links, members, paths with hops, and the verdict. Pure."""
