"""The command line: `python -m dashboard COMMAND`.

Every refusal is one sentence on standard error and a status other than 0; a traceback is a defect.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from dashboard import accounts
from dashboard.accounts.users import DEMONSTRATION_NAME, DEMONSTRATION_PASSWORD, Users
from dashboard.clock import SystemClock
from dashboard.config import Settings, load_settings
from dashboard.database.engine import Database
from dashboard.errors import DashboardError
from dashboard.feeds.registry import make_feed
from dashboard.telemetry import configure_logging


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace, Settings], int] = given.run
    try:
        settings = load_settings()
        configure_logging(settings.log_format)
        return run(given, settings)
    except DashboardError as error:
        print(error, file=sys.stderr)
        return 3
    except (KeyboardInterrupt, BrokenPipeError):
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dashboard",
        description="Tickboard, a real-time market dashboard. Settings come from DASHBOARD_* variables or .env.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    commands.add_parser("run", help="serve the dashboard in this process").set_defaults(run=_run)
    commands.add_parser("migrate", help="bring the database's schema up to date").set_defaults(run=_migrate)
    check = commands.add_parser("check", help="validate the settings and try every connection")
    check.set_defaults(run=_check)
    users = commands.add_parser("users", help="manage the users").add_subparsers(required=True, metavar="ACTION")
    add = users.add_parser("add", help="make a user; the password is asked for, or a line on standard input")
    add.add_argument("name")
    add.add_argument("--role", choices=accounts.ROLES, default="analyst")
    add.set_defaults(run=_add)
    users.add_parser("list", help="show every user").set_defaults(run=_list)
    disable = users.add_parser("disable", help="end a user's sessions and let nobody in under the name")
    disable.add_argument("name")
    disable.set_defaults(run=_disable)
    enable = users.add_parser("enable", help="let a disabled user in again, with the password it had")
    enable.add_argument("name")
    enable.set_defaults(run=_enable)
    password = users.add_parser("password", help="set a new password; ends the user's sessions")
    password.add_argument("name")
    password.set_defaults(run=_password)
    verify = commands.add_parser(
        "verify",
        help="say whether an exported file still equals the store of the running product",
        description="Compare an exported file with the store of the running product, by the receipt that Parquet "
        "carries and that lies beside CSV and JSON as FILE.receipt.json. Exit status: 0 equal, 1 not equal, 4 no "
        "longer kept (another epoch, or overwritten), 5 the file is damaged, 3 nothing can be said.",
    )
    verify.add_argument("file", type=Path, metavar="FILE")
    verify.add_argument(
        "--receipt", type=Path, metavar="FILE", help="where the receipt is, if it is not beside the file"
    )
    verify.add_argument("--url", help="where the product is; by default where the settings HOST and PORT say")
    verify.add_argument(
        "--user",
        help="whom to log in as; the password is asked for, or a line on standard input (default: demonstration)",
    )
    verify.add_argument("--closed", action="store_true", help="leave out the bar that was still forming at the export")
    verify.set_defaults(run=_verify)
    return parser


def _run(_given: argparse.Namespace, settings: Settings) -> int:
    from dashboard.runtime import Runtime
    from dashboard.serve import serve
    from dashboard.web import create_server

    return serve(create_server(Runtime(settings)))


def _users(settings: Settings) -> Users:
    database = Database(settings.database_url)
    database.migrate_if_embedded()
    return Users(database, SystemClock())


def _add(given: argparse.Namespace, settings: Settings) -> int:
    users = _users(settings)
    users.add(given.name, _new_password(), given.role)
    print(f"{given.name} can log in now, as {given.role}")
    return 0


def _list(_given: argparse.Namespace, settings: Settings) -> int:
    for user in _users(settings).every():
        print(f"{user.name}\t{user.role}\t{'disabled' if user.disabled else 'active'}")
    return 0


def _disable(given: argparse.Namespace, settings: Settings) -> int:
    _users(settings).disable(given.name)
    print(f"{given.name} is disabled; sessions end within a second")
    return 0


def _enable(given: argparse.Namespace, settings: Settings) -> int:
    _users(settings).enable(given.name)
    print(f"{given.name} can log in again")
    return 0


def _password(given: argparse.Namespace, settings: Settings) -> int:
    _users(settings).set_password(given.name, _new_password())
    print(f"{given.name} has a new password; sessions end within a second")
    return 0


def _new_password() -> str:
    """The password, prompted for twice, or the first line of standard input where that is no terminal."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("New password: ")
    if getpass.getpass("Again: ") != first:
        raise DashboardError("the two passwords differ; nothing was changed")
    return first


def _verify(given: argparse.Namespace, settings: Settings) -> int:
    from dashboard.verify import Product, verify
    from dashboard.verify.product import address

    name, password = given.user, DEMONSTRATION_PASSWORD
    if name is None:
        name = DEMONSTRATION_NAME
    elif sys.stdin.isatty():
        password = getpass.getpass(f"Password of {name}: ")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    product = Product(given.url or address(settings), name, password)
    verdict = verify(given.file, product, receipt=given.receipt, closed=given.closed)
    print(verdict.sentence)
    return verdict.status


def _migrate(_given: argparse.Namespace, settings: Settings) -> int:
    database = Database(settings.database_url)
    database.migrate()
    print("the database's schema is up to date")
    return 0


def _check(_given: argparse.Namespace, settings: Settings) -> int:
    """Try everything that a start needs; one line each, status 3 with the reason at the first that fails."""
    print("settings ok")
    database = Database(settings.database_url)
    database.migrate_if_embedded()
    database.check()
    print("database ok")
    accounts.prepare(settings, database, SystemClock())
    print("accounts ok")
    feed = make_feed(settings, SystemClock())
    print(f"feed ok: {feed.name}, {len(feed.catalogue)} instruments")
    if (warning := database.warning()) is not None:
        print(f"warning: {warning}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
