"""The token flow: issues on one side, redeems on the other; its file; the explanation of its failures."""
