"""pyproject.toml is read within bounds: its parser's work grows with the square of a key's parts."""

from pathlib import Path

import pytest

from ci_publish.app.project_file import (
    MAX_KEY_PARTS,
    MAX_PROJECT_FILE,
    parent_project_with_destination,
    read_project_tables,
)
from ci_publish.errors import ConfigurationError

OURS = "[tool.ci-publish]\nstrict = true\n"


def read(folder: Path, text: str) -> object:
    file = folder / "pyproject.toml"
    file.write_text(text, encoding="utf-8")
    return read_project_tables(file).ours


@pytest.mark.parametrize(
    "text",
    [
        f"[{'a.' * MAX_KEY_PARTS}a]\n",
        f"a = '{'b' * 20_000}'\n",
        f'a = "{"b c, " * 1_000}"\n',
        "# it's 1.2.3, isn't it?\n" * 100,
        "a = ['''x''', \"\"\"y\n\"\"\"]\n",
        "'a'.\"b\" . c = 1\n",
    ],
)
def test_what_people_write_is_read(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, f"{text}{OURS}") == {"strict": True}


@pytest.mark.parametrize("part", ["a.", "a . ", '"a".', "'a' .\t", '"a.b".c.'])
def test_a_key_with_too_many_parts_is_refused(tmp_path: Path, part: str) -> None:
    with pytest.raises(ConfigurationError, match="a key has more than 100 parts"):
        read(tmp_path, f"{part * (MAX_KEY_PARTS + 1)}a = 1\n{OURS}")


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="1 MiB"):
        read(tmp_path, OURS + "#" * MAX_PROJECT_FILE)


def test_the_indexes_of_uv_toml_count_before_those_of_pyproject(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    (tmp_path / "uv.toml").write_text(
        '[[index]]\nname = "corp"\npublish-url = "https://corp.example/"\n', encoding="utf-8"
    )
    assert read_project_tables(project).uv_indexes == [{"name": "corp", "publish-url": "https://corp.example/"}]
    project.write_text('[[tool.uv.index]]\nname = "other"\n', encoding="utf-8")
    assert read_project_tables(project).uv_indexes == [{"name": "corp", "publish-url": "https://corp.example/"}]
    (tmp_path / "uv.toml").write_text("index = [", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"uv\.toml cannot be read"):
        read_project_tables(project)


@pytest.mark.parametrize(
    "table",
    [
        *(
            "tool.ci_publish",
            "tool.cipublish",
            "tool.CI-Publish",
            "tool.ci-publsh",
            "tool.ci-pubilsh",
            "tool.ci-publush",
        ),
        *("ci-publish", "ci_publish", "CI-PUBLISH", "tools.ci-publish", "Tool.ci-publish"),
    ],
)
def test_a_table_that_is_nearly_ours_is_refused(tmp_path: Path, table: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        read(tmp_path, f'[{table}]\nrepository-url = "testpypi"\n')
    assert error.value.summary == f"Unknown table in pyproject.toml: [{table}]"
    assert "[tool.ci-publish]" in error.value.hints[0]
    assert ("hyphen" in error.value.hints[0]) is (table == "tool.ci_publish")


@pytest.mark.parametrize(
    "text",
    [
        "[tool.publish]\n[tool.cibuildwheel]\n[tool.pypublish]\n[tool.ci]\npublish = true\n",
        '[dependency-groups]\nci-publish = ["ci-publish"]\n',
        'ci-publish = "a"\n[tool.a.ci_publish]\n',
    ],
)
def test_other_tables_are_left_alone(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, f"{text}{OURS}") == {"strict": True}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[tool.ci-publish]\nrepository-url = "testpypi"\n', True),
        ('[tool.ci-publish]\nrepository_url = "testpypi"\n', True),
        ("[tool.ci-publish]\nstrict = true\n", False),
        ("[tool]\nci-publish = 3\n", False),
        ("tool = 3\n", False),
        ("broken", False),
    ],
)
def test_a_parent_project_counts_up_to_the_repository_s_root(tmp_path: Path, text: str, found: bool) -> None:
    outer, inner = tmp_path / "outer", tmp_path / "outer" / "packages" / "a" / "pyproject.toml"
    inner.parent.mkdir(parents=True)
    (outer / "pyproject.toml").write_text(text)
    assert parent_project_with_destination(inner) is None, "no repository"
    (outer / ".git").write_text("gitdir: elsewhere")
    assert parent_project_with_destination(inner) == (outer / "pyproject.toml" if found else None)
    assert parent_project_with_destination(outer / "pyproject.toml") is None
    (inner.parent / ".git").mkdir()
    assert parent_project_with_destination(inner) is None
