"""From snapshots to a report: sites, links, members, paths with hops, and the verdict. Pure."""
