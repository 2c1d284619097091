"""What tests can break, and how long things take."""
