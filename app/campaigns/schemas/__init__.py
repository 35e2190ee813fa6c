"""What campaign routes take and give."""
