"""What a shop buys once, and what of it goes back."""
