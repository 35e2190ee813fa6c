"""What happens to a campaign when processes die, networks lie and people click twice. `make faults`."""
