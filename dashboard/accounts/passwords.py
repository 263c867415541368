"""Passwords: Argon2id hashes, and what a new password must be (NIST SP 800-63B: length and no common ones)."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from dashboard.errors import BadParameter

LEAST, MOST = 8, 1024
#: Hashing takes 64 MB and a core for 0.1 s: no more at once than this.
_AT_ONCE = threading.BoundedSemaphore(2)
_HASHER = PasswordHasher()
#: Verified in place of an unknown user's hash, so that both take as long.
NOBODY = _HASHER.hash("nobody has this password")
_COMMON = frozenset(
    [
        "12345678",
        "123456789",
        "1234567890",
        "password",
        "password1",
        "password123",
        "passw0rd",
        "p@ssw0rd",
        "qwertyui",
        "qwertyuiop",
        "qwerty123",
        "11111111",
        "00000000",
        "88888888",
        "87654321",
        "987654321",
        "iloveyou",
        "sunshine",
        "princess",
        "football",
        "baseball",
        "welcome1",
        "welcome123",
        "admin123",
        "administrator",
        "letmein1",
        "letmein123",
        "trustno1",
        "superman",
        "batman123",
        "dragon123",
        "monkey123",
        "abcd1234",
        "abc12345",
        "1q2w3e4r",
        "1qaz2wsx",
        "zaq12wsx",
        "q1w2e3r4",
        "asdfghjk",
        "asdfghjkl",
        "zxcvbnm1",
        "zxcvbnm123",
        "changeme",
        "changeme1",
        "secret123",
        "default1",
        "computer",
        "internet",
        "whatever",
        "jennifer",
        "michelle",
        "starwars",
        "pokemon1",
        "liverpool",
        "chelsea1",
        "arsenal1",
        "samsung1",
        "google123",
        "michael1",
        "jordan23",
        "charlie1",
        "hunter22",
        "killer123",
        "master123",
        "shadow123",
        "freedom1",
        "mustang1",
        "corvette",
        "summer2024",
        "winter2024",
        "tickboard",
        "dashboard",
        "dashboard1",
        "dashboard123",
        "marketdata",
        "12341234",
        "11223344",
        "12121212",
        "55555555",
        "66666666",
        "77777777",
        "99999999",
        "password2",
        "password12",
        "pass1234",
        "test1234",
        "testtest",
        "guest123",
        "root1234",
        "toor1234",
        "adminadmin",
        "rootroot",
        "user1234",
        "123123123",
        "1234qwer",
        "qwer1234",
        "a1b2c3d4",
        "aa123456",
        "asdf1234",
        "1password",
        "mypassword",
        "newpassword",
    ]
)


def hashed(password: str) -> str:
    """The Argon2id hash of a password."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def matches(stored: str, password: str) -> bool:
    """Whether `password` is the one that `stored` was made of; takes about 0.1 s either way."""
    with _AT_ONCE:
        try:
            return _HASHER.verify(stored, password)
        except (Argon2Error, InvalidHashError):
            return False


def check_new(password: str) -> None:
    """Raises BadParameter, which never repeats the password, where it may not become one."""
    if not LEAST <= len(password) <= MOST:
        raise BadParameter("password", f"{len(password)} characters", f"{LEAST} to {MOST} characters long")
    if password.lower() in _COMMON or len(set(password)) < 3:
        raise BadParameter("password", "one of the most common", "one that is not among the most common")
