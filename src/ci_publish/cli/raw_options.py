"""Options in raw arguments and variables, for reporting an error in these arguments."""

from collections.abc import Mapping, Sequence


def raw_option_value(option: str, argv: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Return the value in the command line, our component's input, our variable or our action's input; None if absent.

    *option* is spelled with hyphens. Arguments may be wrong elsewhere.
    """
    words = list(argv)
    for number, word in enumerate(words):
        if word == f"--{option}" and number + 1 < len(words):
            return words[number + 1]
        if word.startswith(f"--{option}="):
            return word.partition("=")[2]
    name = option.upper()
    snake = name.replace("-", "_")
    given = environ.get(f"INPUT_{name}") or environ.get(f"INPUT_{snake}")
    component = environ.get(f"CI_PUBLISH_INPUT_{snake}", "")
    if component == "false":  # the default of GitLab's boolean, which means "not given"
        component = ""
    ours = component or environ.get(f"CI_PUBLISH_{snake}")
    return ours or (given if environ.get("CI_PUBLISH_ACTION") else None) or None
