"""The inbox of what other systems tell us: verified, stored once, answered, then worked on by a job."""
