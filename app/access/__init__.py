"""Who may use a shop's interface by key, and the record of what everybody did."""
