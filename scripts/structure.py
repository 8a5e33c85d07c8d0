"""Counts what makes code hard to read: large modules, long lists of arguments, branches, and helpers that add nothing.

    python scripts/structure.py            the figures
    python scripts/structure.py PACKAGE    and which helpers of src/ci_publish/PACKAGE are used once

A helper adds nothing where its name is private, called once, and stands for at most four lines: who reads the caller
must look them up. Many such helpers name a thought, so the share has a limit and not each helper. A function that is
handed to somebody else is none.
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "ci_publish"
SHORT = 4
MOST_ARGUMENTS = 6
MOST_BRANCHES = 10
BRANCHES = (ast.If, ast.For, ast.While, ast.IfExp, ast.ExceptHandler, ast.match_case, ast.comprehension)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def trees(package: Path) -> dict[Path, ast.Module]:
    """Return every module below *package*, parsed."""
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(package.rglob("*.py"))}


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yield the functions and methods of a module, nested ones too."""
    yield from (node for node in ast.walk(tree) if isinstance(node, Function))


def arguments(function: Function) -> int:
    """Return how many arguments a function takes, without ``self``."""
    given = function.args
    names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def branches(function: Function) -> int:
    """Return the decisions in a function, without those of functions inside it."""
    count, left = 0, list(ast.iter_child_nodes(function))
    while left:
        node = left.pop()
        if isinstance(node, Function | ast.Lambda):
            continue
        count += isinstance(node, BRANCHES)
        left += ast.iter_child_nodes(node)
    return count


def _lines(function: Function) -> int:
    """Return the lines of a function's body without its docstring."""
    body = function.body[ast.get_docstring(function) is not None :]
    return body[-1].end_lineno - body[0].lineno + 1 if body and body[-1].end_lineno else 0


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def used_once(modules: dict[Path, ast.Module]) -> list[tuple[Path, Function]]:
    """Return the short private functions whose name is used once in their own module, by a call."""
    found = []
    for path, tree in modules.items():
        uses = Counter(_name(node) for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute))
        calls = Counter(_name(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call))
        found += [
            (path, function)
            for function in functions(tree)
            if function.name.startswith("_")
            and not function.name.startswith("__")
            and not function.decorator_list
            and uses[function.name] == calls[function.name] == 1
            and _lines(function) <= SHORT
        ]
    return found


def main() -> None:
    """Print the figures."""
    modules = trees(PACKAGE)
    every = [(path, function) for path, tree in modules.items() for function in functions(tree)]
    once = used_once(modules)
    share = 100 * len(once) / len(every)
    print(f"{len(modules)} modules, {sum(len(path.read_text().splitlines()) for path in modules)} lines")
    print(f"{len(once)} of {len(every)} functions are short helpers that are used once: {share:.1f} %")
    for path, function in every:
        given, decided = arguments(function), branches(function)
        if given > MOST_ARGUMENTS or decided > MOST_BRANCHES:
            print(f"{path.relative_to(PACKAGE)}:{function.name} {given} arguments, {decided} branches")
    per_package = Counter(path.relative_to(PACKAGE).parts[0] for path, _ in once)
    print(", ".join(f"{name} {count}" for name, count in per_package.most_common()))
    for wanted in sys.argv[1:]:
        for path, function in once:
            if path.relative_to(PACKAGE).as_posix().startswith(wanted):
                print(f"{path.relative_to(PACKAGE)}:{function.lineno} {function.name} ({_lines(function)})")


if __name__ == "__main__":
    main()
