"""The token flow: issue on one side, redeem on the other; its file; what its failures mean."""
