"""What reports take and give."""
