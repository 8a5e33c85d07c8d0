"""What holds a secret is known by name, and is forgotten once it is read."""

from ci_publish.app.other_tools import TOOLS
from ci_publish.app.secret_variables import forget_secret_variables, secret_variables


def test_secrets_are_taken_out_of_the_environment_for_the_sake_of_children() -> None:
    kept = {"CI_PUBLISH_USER": "alice", "TWINE_USERNAME": "alice", "INPUT_USER": "alice", "PATH": "/bin"}
    secret = ("CI_PUBLISH_PASSWORD", "INPUT_PASSWORD", "TWINE_PASSWORD", "UV_PUBLISH_PASSWORD", "UV_PUBLISH_TOKEN")
    environ = kept | dict.fromkeys(secret, "canary")
    forget_secret_variables(environ)
    assert environ == kept


def test_every_name_of_a_secret_is_known() -> None:
    theirs = {name for tool in TOOLS for name in tool.secrets}
    assert {"CI_PUBLISH_PASSWORD", "CI_PUBLISH_TOKEN", "INPUT_PASSWORD", *theirs} <= set(secret_variables())
