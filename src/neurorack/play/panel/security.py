"""Who may talk to the panel: this machine, with the token, from the panel's own page.

* The server listens on 127.0.0.1 only, unless it was opened to the local network deliberately.
* The Host header must name this machine (on the network: be an address), so that a foreign name that resolves
  to it (DNS rebinding) is refused; an Origin, where a browser sends one, must be that same host. A socket
  must have one.
* A random token, given once in the address, becomes a strict, script-proof cookie named after the port.
"""

import hmac
import re
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

LOCAL_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)
ANY_ADDRESS = re.compile(r"(\d{1,3}(\.\d{1,3}){3}|localhost|\[[0-9a-f:]+\])(:\d{1,5})?", re.IGNORECASE)
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
    "Cache-Control": "no-cache",
}


def guard(token: str, cookie: Callable[[], str], lan: bool = False) -> Middleware:
    """Middleware that lets only the panel's own page in. `cookie` names the cookie (known once bound);
    `lan`: pages on other machines may come in too, with the token.
    """
    hosts = ANY_ADDRESS if lan else LOCAL_HOST

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get("Host", "")
        if not hosts.fullmatch(host):
            return _refuse("This panel is for this machine only.")
        origin = request.headers.get("Origin")
        upgrade = "upgrade" in request.headers.get("Connection", "").lower()
        if (origin is not None or upgrade) and origin != f"http://{host}":
            return _refuse("This panel takes no orders from other pages.")
        given = request.query.get("token", "")
        kept = request.cookies.get(cookie(), "")
        if not any(hmac.compare_digest(text.encode(), token.encode()) for text in (given, kept)):
            return _refuse("Open the address that neurorack play printed: it holds the key to this panel.")
        response = await handler(request)
        if not response.prepared:
            response.headers.update(HEADERS)
            if given:
                response.set_cookie(cookie(), token, httponly=True, samesite="Strict", path="/")
        return response

    return check


def _refuse(reason: str) -> web.Response:
    return web.Response(status=403, text=reason + "\n", headers=HEADERS)
