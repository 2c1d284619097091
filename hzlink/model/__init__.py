"""Records and pure functions that every other package may use: sites, objects, conditions, events, errors."""
