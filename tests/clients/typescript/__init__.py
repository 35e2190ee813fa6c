"""A TypeScript client typed by the OpenAPI document."""
