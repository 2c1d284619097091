"""What the steps of a plan do, one file for each kind of step. apply/runner.py runs them."""
