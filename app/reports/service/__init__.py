"""Use cases of reports: windows of days, their figures, the dashboard, exports, and following messages."""
