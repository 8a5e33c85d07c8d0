"""Check the files that CI systems, container builders and GitHub read, each with the tool that knows its rules.

No network. A kind of file that does not exist yet is skipped. Every tool runs, even after another one found
something; exit 1 if any did.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
ENDINGS = (".yml", ".yaml")


def tracked() -> list[str]:
    """Return the files of this checkout that git knows or would add, relative to its root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted({name for name in listed if (ROOT / name).is_file() and not name.startswith("tests/")})


def matching(names: Sequence[str], pattern: str) -> list[str]:
    """Return those of *names* that *pattern* matches as a whole."""
    return [name for name in names if re.fullmatch(pattern, name)]


def component_parts(template: Path, folder: Path) -> Path:
    """Write the job document of a GitLab component, without its `spec` header: schema checkers take one document.

    Inputs of type array stand where the schema expects a list, so their defaults are filled in.
    """
    header, separator, jobs = template.read_text(encoding="utf-8").partition("\n---\n")
    part = folder / template.name
    part.write_text(with_lists(jobs, header) if separator else header, encoding="utf-8")
    return part


def with_lists(jobs: str, header: str) -> str:
    """Return *jobs* with the default of each array input that *header* declares in place of its reference."""
    inputs = YAML(typ="safe", pure=True).load(header)["spec"].get("inputs") or {}
    for name, declared in inputs.items():
        if (declared or {}).get("type") == "array":
            jobs = jobs.replace(f"$[[ inputs.{name} ]]", json.dumps(declared["default"]))
    return jobs


def commands(names: Sequence[str], folder: Path) -> Iterator[list[str]]:
    """Yield the command line of every check that has something to look at."""
    workflows = matching(names, r"(\.github/workflows|docs/examples)/[^/]+\.ya?ml")
    actions = matching(names, r"(.*/)?action\.ya?ml")
    components = [str(component_parts(ROOT / name, folder)) for name in matching(names, r"templates/.+\.ya?ml")]
    pipelines = [*matching(names, r"\.gitlab-ci\.yml"), *components]
    updates = matching(names, r"\.github/dependabot\.yml")
    dockerfiles = matching(names, r"(.*/)?(Dockerfile|Containerfile)(\.[^/]+)?")
    schema = ["check-jsonschema", "--builtin-schema"]
    tools = [
        (["yamllint", "--strict"], [name for name in names if name.endswith(ENDINGS)]),
        ([*schema, "vendor.github-workflows"], workflows),
        ([*schema, "vendor.github-actions"], actions),
        ([*schema, "vendor.gitlab-ci", "--data-transform", "gitlab-ci"], pipelines),
        ([*schema, "vendor.dependabot"], updates),
        ([*schema, "vendor.github-issue-config"], matching(names, r"\.github/ISSUE_TEMPLATE/config\.yml")),
        ([*schema, "vendor.github-issue-forms"], matching(names, r"\.github/ISSUE_TEMPLATE/(?!config\b)[^/]+\.yml")),
        ([*schema, "vendor.citation-file-format", "--default-filetype", "yaml"], matching(names, r"CITATION\.cff")),
        (["hadolint"], dockerfiles),
        # The strictest persona, and neither a config nor an ignore: a finding is mended, not silenced.
        (["zizmor", "--offline", "--persona=auditor", "--no-config", "--no-ignores"], [*workflows, *actions, *updates]),
    ]
    return ([*tool, *files] for tool, files in tools if files)


def main() -> int:
    """Run every check and say which; return 1 when one found something."""
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for command in commands(tracked(), Path(folder)):
            print("$", " ".join(command), flush=True)
            if subprocess.run(command, cwd=ROOT, check=False).returncode:
                failed.append(command[0])
    if failed:
        print("Findings by:", ", ".join(dict.fromkeys(failed)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
