"""What people read when something fails: every message has a cause or a next step, a link, and was read by somebody."""

import pytest

from ci_publish.about import DOCS_URL
from ci_publish.errors import CiPublishError, error_classes
from tests.situations import MESSAGES, SITUATIONS, Situation, all_messages, examples, printed

FORTY = 40


@pytest.fixture(params=SITUATIONS, ids=lambda each: each.what)
def met(request: pytest.FixtureRequest) -> CiPublishError:
    chosen: Situation = request.param
    return chosen.produce()


def test_a_message_says_what_happened_what_to_do_and_where_to_read_on(met: CiPublishError) -> None:
    lines = printed(met).splitlines()
    assert lines[0].startswith("error: ")
    assert len(lines[0]) > len("error: ") + 15
    # Of a wrong setting, the first line is the cause.
    assert met.detail.strip() or met.slug == "configuration"
    assert "What to do:" in lines
    assert [hint for hint in met.hints if not hint.strip()] == []
    assert lines[-2] == f"Read on: {DOCS_URL}/errors/{met.slug}/"
    assert lines[-1] == f"exit code {met.exit_code} · {met.slug}"


def test_a_message_holds_no_secret_and_no_traces_of_programming(met: CiPublishError) -> None:
    text = printed(met)
    found = [word for word in ("hunter2", "Traceback", "<class", "object at 0x") if word in text]
    assert found == []


def test_the_messages_are_those_that_somebody_read() -> None:
    """After a change: ``make generate``, and read what it changed."""
    assert MESSAGES.read_text(encoding="utf-8") == all_messages()


def test_forty_situations_and_every_kind_of_error_are_among_them() -> None:
    met = {each.produce().slug for each in SITUATIONS}
    unmet = {each.slug for each in error_classes()} - met
    assert len(SITUATIONS) >= FORTY
    # Its kinds below it stand for it: nothing raises it when signing is not stopped.
    assert unmet <= {"signing-failed"}


def test_examples_are_found_by_slug() -> None:
    what, message = examples(
        "=== 01 A bug\nerror: x\nexit code 1 · internal\n\n=== 02 B\nerror: y\nexit code 1 · internal\n"
    )["internal"]
    assert (what, message) == ("A bug", "error: x\nexit code 1 · internal")
