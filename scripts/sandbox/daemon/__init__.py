"""The processes of the sandbox: a guard that cleans up, a supervisor that runs the parts, and how processes end."""
