"""`make run`: a shop that has been in business for a month, so that no page of either client is empty.

The past is written by SQL, because no service can write yesterday; it keeps every invariant of `flask audit`.
What is still going on (drafts, dates, a campaign that is being sent) goes through the services. Each stage
looks for what it would make and leaves it alone, so a second start changes nothing.
"""
