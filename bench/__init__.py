"""Speed, shown as ratios: each piece of work beside its physical limit, in one run on one machine."""
