"""What a trial makes of what installers and interpreters say; ``tests/e2e/test_install_corpus.py`` has real ones."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from ci_publish.errors import IndexUnavailable
from ci_publish.model.events import Tried
from ci_publish.publishing.interruption import Interruption
from ci_publish.rehearsal.installation.command_processes import CommandProcesses, EndedCommand
from ci_publish.rehearsal.installation.installation_trial import InstallationTrial, TrialPlan
from ci_publish.rehearsal.installation.installers import Uv
from tests.installable import sdist, wheel
from tests.unit.rehearsal.installation.test_interpreter_matching import HERE, read

Answer = Callable[[Sequence[str]], EndedCommand | None]
FINE = EndedCommand(code=0, output="", seconds=0.1)
LATE = EndedCommand(code=None, output="waiting", seconds=600.0)


def failing(output: str) -> EndedCommand:
    return EndedCommand(code=1, output=output, seconds=0.1)


class Scripted(CommandProcesses):
    """Answers commands from a script instead of running them; the probe's facts are written as it would."""

    def __init__(self, answer: Answer, facts: Sequence[Mapping[str, object]]) -> None:
        super().__init__({"PATH": "/bin"}, Interruption(60.0))
        self.answer, self.facts, self.commands = answer, facts, list[list[str]]()

    def run(
        self, command: Sequence[str], *, folder: Path, seconds: float, environ: Mapping[str, str] | None = None
    ) -> EndedCommand:
        assert folder.name.startswith("empty-")
        assert not any(folder.iterdir())
        (folder / "left-behind").touch()
        assert 590.0 < seconds <= 600.0
        self.commands.append([*command, *(f"{name}={value}" for name, value in (environ or {}).items())])
        if command[-3:-2] == ["demo"]:
            Path(command[-2]).write_text("\n".join(map(json.dumps, self.facts)))
        return self.answer(command) or FINE


FACTS = ({"version": "1.0", "modules": ["demo"], "files": ["demo.py"], "suffixes": []}, {"ended": True})
UNKNOWN = (*FACTS, {"import": "demo", "error": "ModuleNotFoundError", "message": "no plt", "missing": "plt"})


def attempt(
    tmp_path: Path,
    path: Path,
    answer: Answer = lambda _: None,
    *,
    facts: Sequence[Mapping[str, object]] = FACTS,
    **plan: object,
) -> tuple[Tried, Scripted]:
    file = read(path)
    processes = Scripted(answer, facts)
    options = {
        "index": "http://127.0.0.1:1/simple/",
        "addresses": {file.filename: f"http://127.0.0.1:1/packages/{file.filename}"},
        "siblings": {"demo": ["1.0"], "core": ["1.0"]},
        "probe": tmp_path / "probe.py",
        "require_upstream": lambda: None,
        **plan,
    }
    trial = InstallationTrial(
        file=file,
        interpreter=HERE,
        installer=Uv("/bin/uv", "1"),
        processes=processes,
        plan=TrialPlan(**options),  # type: ignore[arg-type]
        folder=tmp_path / "trial",
    )
    return trial.run(), processes


def installing(command: Sequence[str]) -> bool:
    return "install" in command


def test_a_file_that_works_passes_and_its_digest_is_asked_for(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    tried, processes = attempt(tmp_path, path, commands=("demo --version",))

    assert (tried.passed, tried.problems, tried.output) == (True, (), "")
    assert (tried.interpreter, tried.installer) == ("CPython 3.12.1", "uv 1")
    assert tried.commands == ("install demo", "check", "import", "demo --version")
    assert processes.commands[1][-1] == f"demo @ http://127.0.0.1:1/packages/{path.name}#sha256={read(path).sha256}"
    words, *variables = processes.commands[-1][:2], *processes.commands[-1][2:]
    assert words == ["demo", "--version"]
    assert variables[0].endswith("/environment/bin:/bin")


@pytest.mark.parametrize(
    ("make", "answer", "rule", "said"),
    [
        (
            wheel,
            lambda words: failing("no space") if "venv" in words else None,
            "install-failed",
            "Cannot create a virtual environment",
        ),
        (
            wheel,
            lambda words: failing("404") if installing(words) else None,
            "install-failed",
            "uv 1 cannot install it",
        ),
        (
            wheel,
            lambda words: failing("x is not a supported wheel on this platform") if installing(words) else None,
            "install-tag",
            "uv 1 rejects it for Python 3.12",
        ),
        (
            sdist,
            lambda words: failing("no compiler") if installing(words) else None,
            "install-sdist-build",
            "It does not build on Python 3.12.",
        ),
        (
            sdist,
            lambda words: failing("KeyError: 1\n    OSError: no ../V\nERROR: x") if installing(words) else None,
            "install-sdist-build",
            "It does not build on Python 3.12: OSError: no ../V.",
        ),
        (
            sdist,
            lambda words: failing("version 0.0.0 does not match given version 1.0") if installing(words) else None,
            "install-wrong-version",
            "its version is not 1.0: version 0.0.0 does not match",
        ),
        (wheel, lambda words: LATE if installing(words) else None, "install-failed", "did not finish within 600 s."),
        (
            wheel,
            lambda words: failing("none") if installing(words) and "--no-deps" not in words else None,
            "install-unresolvable",
            "Its requirements cannot be met on Python 3.12.",
        ),
        (
            wheel,
            lambda words: LATE if installing(words) and "--no-deps" not in words else None,
            "install-unresolvable",
            "Installing it with its requirements on Python 3.12: it did not finish within 600 s.",
        ),
        (
            wheel,
            lambda words: failing("a\n\nb is wrong\n") if "check" in words else None,
            "install-inconsistent",
            "b is wrong",
        ),
        (wheel, lambda words: failing("") if "check" in words else None, "install-inconsistent", "no output"),
        (
            wheel,
            lambda words: LATE if "demo" in words[-3:-2] else None,
            "install-import",
            "did not finish within 600 s.",
        ),
        (
            wheel,
            lambda words: failing("oops") if words[0] == "check-it" else None,
            "install-command",
            "with exit code 1.",
        ),
        (
            wheel,
            lambda words: LATE if words[0] == "check-it" else None,
            "install-command",
            "`check-it` fails on Python 3.12: it",
        ),
    ],
)
def test_what_fails_has_its_rule(
    tmp_path: Path, make: Callable[[Path], Path], answer: Answer, rule: str, said: str
) -> None:
    tried, _ = attempt(tmp_path, make(tmp_path), answer, commands=("check-it",))

    (problem,) = tried.problems
    assert (problem.rule, tried.passed) == (rule, False)
    assert said in problem.message
    assert problem.filename == tried.filename


def test_a_missing_sibling_explains_why_nothing_resolves(tmp_path: Path) -> None:
    path = wheel(tmp_path, metadata=["Requires-Dist: core[x]==2"])
    tried, _ = attempt(tmp_path, path, lambda words: failing("no solution") if installing(words) else None)

    (problem,) = tried.problems
    assert (problem.rule, problem.message) == (
        "install-sibling-pin",
        "It requires core[x]==2, but this run has core 1.0.",
    )
    assert tried.output == "no solution"


def test_extras_that_resolve_together_are_not_tried_one_by_one(tmp_path: Path) -> None:
    path = wheel(tmp_path, metadata=["Provides-Extra: a", "Provides-Extra: b"])
    together, _ = attempt(tmp_path, path)
    apart, _ = attempt(
        tmp_path / "again",
        path,
        lambda words: failing("conflict") if "demo[a,b]" in words[-1] or "demo[b]" in words[-1] else None,
    )

    assert [each for each in together.commands if "dry-run" in each] == ["install --dry-run demo[a,b]"]
    assert [problem.message for problem in apart.problems] == ["Its extra b does not resolve on Python 3.12."]


def test_what_the_probe_could_not_tell_is_a_failure(tmp_path: Path) -> None:
    tried, _ = attempt(tmp_path, wheel(tmp_path), facts=())

    assert sorted(problem.rule for problem in tried.problems) == ["install-import", "install-wrong-version"]


@pytest.mark.parametrize(
    ("fails", "rules"), [(False, ["install-import"]), (True, ["install-import", "install-unresolvable"])]
)
def test_extras_are_installed_only_where_they_may_explain_a_failure(
    tmp_path: Path, *, fails: bool, rules: list[str]
) -> None:
    path = wheel(tmp_path, metadata=["Provides-Extra: plots"])
    answer: Answer = lambda words: failing("x") if fails and installing(words) and "[plots]" in words[-1] else None  # noqa: E731
    tried, processes = attempt(tmp_path, path, answer, facts=UNKNOWN)

    assert sorted(problem.rule for problem in tried.problems) == rules
    assert sum(installing(command) for command in processes.commands) == 3


def test_without_imports_the_probe_is_told_so(tmp_path: Path) -> None:
    tried, processes = attempt(tmp_path, wheel(tmp_path), imports=False)

    assert processes.commands[-1][-1] == "imports"
    assert tried.commands[-1] == "locate"


def asked_for(command: Sequence[str]) -> list[str]:
    """What a dry run is asked to resolve, beside the file itself."""
    rest = list(command[command.index("--dry-run") + 1 :]) if "--dry-run" in command else []
    return [word for word in rest if not word.startswith("demo")]


NEEDS = ["Requires-Dist: a", "Requires-Dist: b>=2", "Requires-Dist: c", "Requires-Dist: d; python_version < '3'"]


@pytest.mark.parametrize(
    ("conflict", "said"),
    [
        ({"c"}, "c cannot be met on Python 3.12."),
        ({"a", "b>=2"}, "a and b>=2 cannot be met together on Python 3.12."),
        ({"a", "d"}, "Its requirements resolve but cannot be installed on Python 3.12."),
    ],
)
def test_the_requirements_that_cannot_be_met_are_named(tmp_path: Path, conflict: set[str], said: str) -> None:
    def answer(words: Sequence[str]) -> EndedCommand | None:
        whole = installing(words) and "--no-deps" not in words and "--dry-run" not in words
        return failing("no solution") if whole or conflict <= set(asked_for(words)) else None

    tried, _ = attempt(tmp_path, wheel(tmp_path, metadata=NEEDS), answer)

    assert [(each.rule, each.message) for each in tried.problems] == [("install-unresolvable", said)]
    assert tried.output == "no solution"
    assert tried.commands == ("install demo", "install --no-deps demo")


def test_the_import_that_did_not_end_in_time_is_named(tmp_path: Path) -> None:
    facts = (FACTS[0], {"import": "demo", "begun": True})
    tried, _ = attempt(tmp_path, wheel(tmp_path), lambda words: LATE if "demo" in words[-3:-2] else None, facts=facts)

    assert [each.message for each in tried.problems] == [
        "`import demo` fails on Python 3.12: it did not finish within 600 s"
    ]
    assert tried.output == "waiting"


def test_the_requirement_of_an_extra_is_named(tmp_path: Path) -> None:
    path = wheel(tmp_path, metadata=["Provides-Extra: bad", "Requires-Dist: a", "Requires-Dist: b; extra == 'bad'"])
    tried, _ = attempt(
        tmp_path, path, lambda words: failing("") if "demo[bad]" in words[-1] or "b" in asked_for(words) else None
    )

    assert [each.message for each in tried.problems] == [
        "Its extra bad does not resolve on Python 3.12: b cannot be met."
    ]


def test_an_index_that_does_not_answer_in_time_leaves_them_unnamed(tmp_path: Path) -> None:
    def answer(words: Sequence[str]) -> EndedCommand | None:
        if asked_for(words):
            return LATE
        return failing("") if installing(words) and "--no-deps" not in words else None

    tried, processes = attempt(tmp_path, wheel(tmp_path, metadata=NEEDS), answer)

    assert [each.message for each in tried.problems] == ["Its requirements cannot be met on Python 3.12."]
    assert sum(bool(asked_for(command)) for command in processes.commands) == 1


@pytest.mark.parametrize(
    ("make", "answer", "facts"),
    [
        (wheel, lambda words: failing("") if installing(words) and "--no-deps" not in words else None, FACTS),
        (sdist, lambda words: failing("") if installing(words) else None, FACTS),
        (wheel, lambda words: failing("") if "--dry-run" in words else None, FACTS),
        (wheel, lambda words: failing("") if "demo[more]" in words[-1] and "--dry-run" not in words else None, UNKNOWN),
    ],
)
def test_no_file_is_blamed_for_an_upstream_that_does_not_answer(
    tmp_path: Path, make: Callable[..., Path], answer: Answer, facts: Sequence[Mapping[str, object]]
) -> None:
    def require_upstream() -> None:
        raise IndexUnavailable("Cannot reach the upstream index.")

    path = make(tmp_path) if make is sdist else make(tmp_path, metadata=["Provides-Extra: more"])
    with pytest.raises(IndexUnavailable):
        attempt(tmp_path, path, answer, facts=facts, require_upstream=require_upstream)


@pytest.mark.parametrize(
    ("make", "output"), [(wheel, "404"), (sdist, "version 0.0.0 does not match given version 1.0")]
)
def test_the_upstream_is_not_asked_where_the_file_itself_is_wrong(
    tmp_path: Path, make: Callable[[Path], Path], output: str
) -> None:
    def never() -> None:
        raise AssertionError

    tried, _ = attempt(
        tmp_path,
        make(tmp_path),
        lambda words: failing(output) if installing(words) else None,
        require_upstream=never,
    )

    assert len(tried.problems) == 1
