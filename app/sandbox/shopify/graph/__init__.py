"""The Admin GraphQL endpoint: a small schema with real names, so that a wrong field is a real error."""
