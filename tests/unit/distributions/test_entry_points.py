import pytest

from ci_publish.distributions.entry_points import MAX_LINES, entry_points_refusal_reason, parse_entry_points


@pytest.mark.parametrize("text", [b"\xff", b"no section\n", b"[a]\nx = y\nx = z\n"])
def test_what_cannot_be_read_has_no_entry_points(text: bytes) -> None:
    assert list(parse_entry_points(text)) == []
    assert entry_points_refusal_reason(text) is not None


def test_entry_points_keep_their_case() -> None:
    text = b"[console_scripts]\nDemo-1 = demo:Main\n[other.plugins]\na b/c = demo\n"
    assert list(parse_entry_points(text)) == [
        ("console_scripts", "Demo-1", "demo:Main"),
        ("other.plugins", "a b/c", "demo"),
    ]
    assert entry_points_refusal_reason(text) is None


def test_a_script_has_a_name_of_letters_and_digits() -> None:
    assert (
        entry_points_refusal_reason(b"[gui_scripts]\na/b = demo:main\n")
        == "'a/b' in [gui_scripts] is not a valid name for a script"
    )


def test_more_lines_are_not_read() -> None:
    """The library's message would take minutes; nothing is said of such a file."""
    text = b"[a]\n" + b" x\n" * MAX_LINES
    assert list(parse_entry_points(text)) == []
    assert entry_points_refusal_reason(text) is None
    assert entry_points_refusal_reason(text[: -3 * 10]) is not None
