"""Users, login, sessions and the guard: who may do what.

`prepare` is for the start (it may write and refuse), `install` puts login and guard on a Flask server.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Request, Response, request
from flask.sessions import NullSession, SessionInterface, SessionMixin
from flask_login import LoginManager
from werkzeug.middleware.proxy_fix import ProxyFix

from dashboard.accounts import guard, keys, login
from dashboard.accounts.believed import Believed
from dashboard.accounts.demo import Demonstration
from dashboard.accounts.sessions import COOKIE, Login, Sessions
from dashboard.accounts.users import ROLES, Users
from dashboard.clock import Clock
from dashboard.config import Settings
from dashboard.database.engine import Database
from dashboard.errors import BadParameter, ConfigurationError, StartRefused
from dashboard.telemetry import Telemetry, get_logger

__all__ = ["ROLES", "Accounts", "CurrentUser", "install", "missing_for_others", "prepare"]


@dataclass(frozen=True, slots=True)
class Accounts:
    """What the rest of the product asks of this room."""

    users: Users
    sessions: Sessions
    demonstration: Demonstration


class NoSession(SessionInterface):
    """Flask's own session is not used: a session that is always empty and never saved."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        return NullSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        return None


class CurrentUser:
    """Flask-Login's `current_user` of a request: the person, and the session that lets it in."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, found: Login) -> None:
        self.id, self.name, self.role = found.person.id, found.person.name, found.person.role
        self.demonstration, self.session_id = found.person.demonstration, found.ref
        self.remembered = found.remembered

    def get_id(self) -> str:
        return str(self.id)


def prepare(settings: Settings, database: Database, clock: Clock) -> None:
    """Make the first administrator where a file says so; refuse an address that others reach until all is set.

    Raises ConfigurationError, StartRefused, StorageError.
    """
    users = Users(database, clock)
    if settings.admin_password_file is not None:
        try:
            password = Path(settings.admin_password_file).read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"DASHBOARD_ADMIN_PASSWORD_FILE can't be read: {error}") from error
        try:
            users.make_first_administrator(password[0] if password else "")
        except BadParameter as error:
            raise ConfigurationError(f"DASHBOARD_ADMIN_PASSWORD_FILE: the {error}") from error
    if not settings.on_loopback:
        missing = missing_for_others(settings, users)
        if missing:
            raise StartRefused(f"on {settings.host}, an address that others may reach, this needs {', '.join(missing)}")
    elif not settings.trusted_proxies and not users.has_administrator(or_disabled=True):
        users.make_demonstration()


def missing_for_others(settings: Settings, users: Users) -> list[str]:
    """What is missing before anybody but this machine may be served."""
    missing = []
    if settings.secret_key is None:
        missing.append("DASHBOARD_SECRET_KEY")
    if settings.allowed_hosts is None:
        missing.append("DASHBOARD_ALLOWED_HOSTS")
    if not users.has_administrator():
        missing.append(
            "an administrator (python -m dashboard users add NAME --role administrator, or users enable NAME)"
        )
    return missing


def install(
    server: Flask,
    *,
    settings: Settings,
    database: Database,
    clock: Clock,
    telemetry: Telemetry,
    on_session_end: Callable[[str], None],
    on_user_end: Callable[[int], None],
) -> Accounts:
    """Put login, sessions and guard on `server`. `on_session_end` and `on_user_end` close WebSockets."""
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        server.wsgi_app = ProxyFix(server.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    users = Users(database, clock)
    demonstration = Demonstration(settings, users, clock)
    sessions = Sessions(database, clock, keys.secret_key(settings), demonstration.exists, on_session_end, on_user_end)
    manager = LoginManager()
    manager.session_protection = None

    @manager.request_loader  # type: ignore[untyped-decorator]
    def load(asked: Request) -> CurrentUser | None:
        found = sessions.find(asked.cookies.get(COOKIE))
        if found is None or (found.person.demonstration and not demonstration.allows(request)):
            return None
        return CurrentUser(found)

    manager.init_app(server)
    # Flask-Login would look into Flask's own session cookie first; there is none here.
    server.session_interface = NoSession()
    guard.install(server, settings, Believed(lambda: missing_for_others(settings, users), clock))
    server.register_blueprint(login.blueprint(users, sessions, demonstration, telemetry))
    if demonstration.exists():
        get_logger("accounts").warning(
            "demonstration mode: user root, password 123456, for this machine only; "
            "before a proxy here forwards to it, make an administrator"
        )
    return Accounts(users, sessions, demonstration)
