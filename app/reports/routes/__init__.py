"""Dashboard, reports and tracking over HTTP."""
