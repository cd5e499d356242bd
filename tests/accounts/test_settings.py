"""What an operator sets for accounts and links: mistakes are one sentence, and no password is in it."""

from __future__ import annotations

import pytest

from config.env import BadEnvironment, read


def test_what_is_set_is_read() -> None:
    env = read(
        {
            "TOOLS_SIGNUP": "true",
            "TOOLS_EMAIL_URL": "smtp+tls://user:p%40ss@mail.example.org:587",
            "TOOLS_OIDC_ISSUER": "https://id.example.org",
            "TOOLS_OIDC_CLIENT_ID": "whisper",
            "TOOLS_TRUSTED_PROXIES": "0",
        }
    )
    assert (env.signup, env.oidc_client_id, env.trusted_proxies) == (True, "whisper", 0)
    assert env.email_url == "smtp+tls://user:p%40ss@mail.example.org:587"


@pytest.mark.parametrize(
    ("bind", "public_url", "address"),
    [
        ("127.0.0.1", "", "http://127.0.0.1:8000"),
        ("0.0.0.0", "", "http://127.0.0.1:8000"),
        ("::", "", "http://[::1]:8000"),
        ("0.0.0.0", "https://tools.example.org/", "https://tools.example.org"),
    ],
)
def test_links_begin_with_what_can_be_opened(bind: str, public_url: str, address: str) -> None:
    assert read({"TOOLS_BIND": bind, "TOOLS_PUBLIC_URL": public_url}).address == address


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOOLS_EMAIL_URL", "mail.example.org"),
        ("TOOLS_EMAIL_URL", "https://user:p4ss@mail.example.org"),
        ("TOOLS_OIDC_ISSUER", "id.example.org"),
        ("TOOLS_OIDC_ISSUER", "file:///etc/passwd"),
        ("TOOLS_OIDC_ISSUER", "https://id.example.org"),
        ("TOOLS_PUBLIC_URL", "tools.example.org"),
        ("OPENAI_BASE_URL", "localhost:8080/v1"),
        ("TOOLS_TRUSTED_PROXIES", "-1"),
        ("TOOLS_SIGNUP", "perhaps"),
        ("TOOLS_LEASE_SECONDS", "nan"),
        ("TOOLS_STEP_TIMEOUT_MINUTES", "inf"),
    ],
)
def test_a_mistake_is_told_by_name_and_without_a_password(name: str, value: str) -> None:
    with pytest.raises(BadEnvironment, match=name) as told:
        read({name: value})
    assert "p4ss" not in str(told.value)
