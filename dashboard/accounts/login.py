"""The pages of login, logout and the own password."""

from __future__ import annotations

import ipaddress
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_login import current_user
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import MethodNotAllowed, ServiceUnavailable
from werkzeug.wrappers import Response as Answer

from dashboard.accounts.demo import Demonstration
from dashboard.accounts.sessions import COOKIE, REMEMBERED_MS, Login, Sessions
from dashboard.accounts.users import LONGEST_NAME, Users
from dashboard.errors import BadParameter, DashboardError
from dashboard.telemetry import Telemetry, get_logger

#: Failed tries in five minutes: of a name from an address, so that the owner gets in from elsewhere; of an address.
NAME_LIMIT, ADDRESS_LIMIT = RateLimitItemPerMinute(5, 5), RateLimitItemPerMinute(50, 5)
#: Tries under way at once, of everybody and of an address: each holds one of the server's sixteen threads while it
#: waits for one of the two places for hashing (0.1 s). Who comes then is told to come again, s.
AT_ONCE, AT_ONCE_OF_AN_ADDRESS, AGAIN_S = 8, 6, 2
WRONG = "That user name and password don't go together."
#: Bytes that a form's body may have: anybody can send one, and it is read before anything is counted.
FORM_BYTES = 131_072
TOO_MANY = "Too many failed tries. Wait five minutes, then try again."
_CONTROL = re.compile(r"[\x00-\x20\\\x7f]")


@dataclass(slots=True)
class Attempt:
    """A try of a password: failed, unless it turns out otherwise."""

    failed: bool = True


class Failures:
    """Refused logins, counted by name and address, so that passwords can't be tried in numbers.

    IPv6 counts by /64: whoever has one address of it has them all.
    """

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry, self._log = telemetry, get_logger("login")
        self._tries = MovingWindowRateLimiter(MemoryStorage())
        self._begun: Counter[tuple[str, ...]] = Counter()
        self._under_way = 0
        self._lock = threading.Lock()

    @contextmanager
    def attempt(self, name: str) -> Iterator[Attempt | None]:
        """One try of a password, counted from its beginning: None where this address has had too many.

        A try that ends without `accepted` counts as failed. So tries at once are no way around the limit. Raises
        ServiceUnavailable where too many are under way.
        """
        address = request.remote_addr or ""
        place = neighbourhood(address)
        keys = ((NAME_LIMIT, ("name", place, name[:LONGEST_NAME])), (ADDRESS_LIMIT, (place,)))
        with self._lock:
            spent = any(self._tries.get_window_stats(item, *key).remaining <= self._begun[key] for item, key in keys)
            if not spent:
                if self._under_way >= AT_ONCE or self._begun[place,] >= AT_ONCE_OF_AN_ADDRESS:
                    raise ServiceUnavailable(
                        f"Many are logging in just now; try again in {AGAIN_S} seconds.", retry_after=AGAIN_S
                    )
                self._begun.update(key for _, key in keys)
                self._under_way += 1
        if spent:
            yield None
            return
        attempt = Attempt()
        try:
            yield attempt
        finally:
            with self._lock:
                self._under_way -= 1
                for item, key in keys:
                    self._begun[key] -= 1
                    if not self._begun[key]:
                        del self._begun[key]
                    if attempt.failed:
                        self._tries.hit(item, *key)
            if attempt.failed:
                self._telemetry.logins.labels("refused").inc()
                self._log.warning("login refused", user=name[:100], address=address)

    def too_many(self, answer: Response) -> Response:
        """The answer to one try too many."""
        answer.status_code = 429
        answer.headers["Retry-After"] = "300"
        self._telemetry.logins.labels("limited").inc()
        return answer


def blueprint(users: Users, sessions: Sessions, demonstration: Demonstration, telemetry: Telemetry) -> Blueprint:
    """`/login`, `/logout` and `/account/password`."""
    routes = Blueprint("accounts", __name__, template_folder="templates")
    log = get_logger("login")
    failures = Failures(telemetry)

    def page(status: int, message: str = "", name: str = "") -> Response:
        local = demonstration.allows(request)
        return make_response(
            render_template(
                "login.html",
                message=message,
                name=name[:LONGEST_NAME],
                next=safe_next(request.values.get("next")),
                demonstration=local,
                nobody=not local and not users.every(),
            ),
            status,
        )

    @routes.get("/login")
    def show() -> Answer:
        # Who is in has nothing to do here: another tab of the browser may have logged in meanwhile.
        return redirect(safe_next(request.args.get("next"))) if current_user.is_authenticated else page(200)

    @routes.post("/login")
    def enter() -> Answer:
        request.max_content_length = FORM_BYTES
        name, password = request.form.get("username", ""), request.form.get("password", "")
        with failures.attempt(name) as attempt:
            if attempt is None:
                return failures.too_many(page(429, TOO_MANY, name))
            person = users.matching(name, password, demonstration=demonstration.allows(request))
            attempt.failed = person is None
        if person is None:
            return page(401, WRONG, name)
        sessions.end(request.cookies.get(COOKIE))
        value, login = sessions.issue(person, remembered=request.form.get("remember", "") not in ("", "0", "false"))
        telemetry.logins.labels("accepted").inc()
        log.info("login", user=person.name, address=request.remote_addr)
        return with_cookie(redirect(safe_next(request.form.get("next"))), value, login)

    @routes.post("/logout")
    def leave() -> Answer:
        sessions.end(request.cookies.get(COOKIE))
        answer = redirect("/login")
        answer.delete_cookie(COOKIE, path="/", samesite="Lax", httponly=True, secure=request.is_secure)
        return answer

    routes.add_url_rule("/logout", view_func=only_posted, methods=["GET"])

    @routes.get("/account/password")
    def show_password() -> str:
        return render_template("password.html", message="", done=False, fixed=current_user.demonstration)

    @routes.post("/account/password")
    def set_password() -> Answer:
        request.max_content_length = FORM_BYTES
        old, new = request.form.get("current", ""), request.form.get("new", "")
        name = current_user.name

        def again(message: str, status: int) -> Response:
            return make_response(
                render_template("password.html", message=message, done=False, fixed=current_user.demonstration), status
            )

        if current_user.demonstration:
            return again("The demonstration's password is fixed; make an administrator instead.", 403)
        with failures.attempt(name) as attempt:
            if attempt is None:
                return failures.too_many(again(TOO_MANY, 429))
            attempt.failed = users.matching(name, old, demonstration=False) is None
        if attempt.failed:
            return again("The current password is not right.", 401)
        if new != request.form.get("again", new):
            return again("The two new passwords differ.", 422)
        try:
            person = users.set_password(name, new)
        except BadParameter as error:
            return again(f"The new {error}.", 422)
        except DashboardError as error:
            return again(str(error), 422)
        sessions.forget()
        sessions.on_user_end(person.id)
        value, login = sessions.issue(person, remembered=current_user.remembered)
        done = make_response(render_template("password.html", message="", done=True, fixed=False))
        return with_cookie(done, value, login)

    return routes


def neighbourhood(address: str) -> str:
    """What counts as one address: an IPv4 address, also one that is written as IPv6, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address) or parsed.ipv4_mapped is not None:
        return str(getattr(parsed, "ipv4_mapped", None) or parsed)
    return str(ipaddress.IPv6Network((parsed, 64), strict=False))


def only_posted() -> Answer:
    """The answer to a GET of what is posted; said here because Dash's own route takes every GET nobody else does."""
    raise MethodNotAllowed(["POST"])


def with_cookie(answer: Answer, value: str, login: Login) -> Answer:
    """Give the browser its session."""
    answer.set_cookie(
        COOKIE,
        value,
        max_age=REMEMBERED_MS // 1000 if login.remembered else None,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )
    return answer


def safe_next(wanted: str | None) -> str:
    """`wanted` if it is a path of this site, else `/`."""
    if not wanted or len(wanted) > 2000 or not wanted.startswith("/") or _CONTROL.search(wanted):
        return "/"
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or wanted.startswith("//") or parts.path.startswith("//"):
        return "/"
    return "/" if parts.path in ("/login", "/logout") else wanted
