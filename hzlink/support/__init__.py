"""The support bundle of `hzlink dump`: gathers data, redacts it, and writes the files."""
