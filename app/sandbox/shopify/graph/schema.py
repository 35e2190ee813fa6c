"""The schema, built once."""

from pathlib import Path

from graphql import build_schema

SCHEMA = build_schema(Path(__file__).with_name("schema.graphql").read_text(encoding="utf-8"))
