"""Results and events as text. Nothing here asks a cluster."""
