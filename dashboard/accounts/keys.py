"""The key that signs session cookies: the setting, or one that is made once and kept beside the database."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from sqlalchemy.engine import make_url

from dashboard.config import Settings
from dashboard.errors import StartRefused


def secret_key(settings: Settings) -> str:
    """The key. Raises StartRefused where none is set and none can be kept."""
    if settings.secret_key is not None:
        return settings.secret_key
    url = make_url(settings.database_url)
    kept = url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:"
    path = (Path(str(url.database)).parent if kept else Path("var")) / "secret_key"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        key = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise StartRefused(f"the secret key can't be kept in {path}: {reason}; set DASHBOARD_SECRET_KEY") from error
    if len(key) < 16:
        raise StartRefused(f"the secret key in {path} is too short; remove the file or set DASHBOARD_SECRET_KEY")
    return key


def _make(path: Path) -> None:
    """Write a new key as a whole, readable by its owner only; of two that try at once the first stays."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as out:
            out.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
