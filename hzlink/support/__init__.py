"""The support bundle of `hzlink dump`: gathered, redacted, made into files, written."""
