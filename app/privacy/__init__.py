"""What people may ask of us about their data: to see it, or have it erased; and the proof of it."""
