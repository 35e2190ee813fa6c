"""`GET /shopify/<shop>/bulk/<id>.jsonl`: results of bulk operations, by signed address and in ranges."""

import errno
from collections.abc import Iterator
from pathlib import Path

from flask import Blueprint, Response, abort, request, send_file

from app.sandbox.shopify.faults import DOWNLOADS, Trouble
from app.sandbox.shopify.graph.bulk_fields import KIND, file_name
from app.sandbox.shopify.state import shopify

downloads = Blueprint("shopify-downloads", __name__, url_prefix="/shopify")

KEPT_SECONDS = 7 * 86400
PIECE = 64 * 1024


@downloads.get("/<shop>/bulk/<int:number>.jsonl")
def result(shop: str, number: int) -> Response:
    """The lines, straight from the file. 403 when the address is not signed or a week old."""
    world = shopify()
    body = world.store.get(shop, KIND, number)
    struck = world.faults.take(DOWNLOADS, shop, "")
    is_good = body is not None and request.args.get("signature") == body["signature"]
    path = world.workshop.file(file_name(number))
    world.recorder.note(
        kind="download",
        shop=shop,
        operation=str(number),
        range=request.headers.get("Range"),
        has_token="X-Shopify-Access-Token" in request.headers,
    )
    if body is None or not is_good or Trouble.DOWNLOAD_403 in struck or not path.exists():
        abort(403, "ExpiredToken or SignatureDoesNotMatch")
    if world.clock.now() - body["created_at"] > KEPT_SECONDS:
        abort(403, "ExpiredToken")
    if Trouble.DOWNLOAD_CUT in struck:
        return _cut(path, struck[Trouble.DOWNLOAD_CUT].value)
    return send_file(path, mimetype="application/jsonl", conditional=True, max_age=0)


def _cut(path: Path, share: float) -> Response:
    size = path.stat().st_size
    left = int(size * share) if share < 1 else size // 2

    def pieces() -> Iterator[bytes]:
        with path.open("rb") as file:
            yield file.read(left)
        raise ConnectionResetError(errno.ECONNRESET, "the download is cut on purpose")

    return Response(pieces(), mimetype="application/jsonl", headers={"Content-Length": str(size)})
