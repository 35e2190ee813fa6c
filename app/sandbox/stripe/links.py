"""Addresses of the pages that people are sent to."""

from flask import has_request_context, request

ELSEWHERE = "http://127.0.0.1:4010/"  # outside a request nobody says how we are reached


def page(path: str) -> str:
    """The whole address of `/stripe/<path>`."""
    return (request.host_url if has_request_context() else ELSEWHERE) + f"stripe/{path}"
