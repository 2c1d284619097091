"""What the steps of a plan do, a file for each kind of thing. apply.py runs them."""
