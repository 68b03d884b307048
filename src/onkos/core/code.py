"""Digest of the code that decides an outcome, and the versions of the libraries it computes with.

Nothing is run for it: imports are read from the source text. A change of any line of a module,
or of any module of the same project that it imports, gives another digest.
"""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import inspect
import sys
import sysconfig
import uuid
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, partial
from importlib import metadata, util
from pathlib import Path
from typing import Any

_OWN = "onkos"
_PROCESS = uuid.uuid4().hex


def code_digest(*values: object) -> str:
    """SHA-256 over the source of all modules that the types of some values rest on.

    Values inside the fields of dataclasses, and in tuples, lists and mappings, count too. The
    versions of the libraries that these modules import are part of it. A type whose source
    cannot be found (made at a prompt) has a digest that holds in this process only, so that
    nothing is ever taken from an earlier one.
    """
    kinds = list(dict.fromkeys(kind for value in values for kind in _kinds_of(value)))
    modules = {kind.__module__ for kind in kinds}
    state = hashlib.sha256(_digest(modules).encode())
    for kind in kinds:
        if _is_own(kind.__module__.partition(".")[0]) and _origin(kind.__module__) is None:
            state.update(_typed(kind).encode())
    return state.hexdigest()


def settings_of(value: object) -> Any:
    """Plain data that tells two values of one kind apart: what changes an outcome.

    Dataclasses become mappings with the name of their type; fields that do not take part in
    comparison are left out, since they change nothing. Functions stand by their name.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            one.name: settings_of(getattr(value, one.name))
            for one in dataclasses.fields(value)
            if one.compare
        }
        return {"type": type(value).__qualname__, **fields}
    if isinstance(value, Mapping):
        return {str(key): settings_of(item) for key, item in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        items = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
        return [settings_of(item) for item in items]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if callable(value):
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', repr(value))}"
    return repr(value)


def _kinds_of(value: object) -> Iterator[Any]:
    """Types and functions that a value, and what it holds, are made of."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _kinds_of(item)
    elif isinstance(value, tuple | list | set | frozenset):
        for item in value:
            yield from _kinds_of(item)
    elif isinstance(value, partial):
        yield from _kinds_of((value.func, value.args, value.keywords))
    elif isinstance(value, type) or inspect.isroutine(value):
        if isinstance(getattr(value, "__module__", None), str):
            yield value
    elif type(value).__module__ != "builtins":
        yield type(value)
        if dataclasses.is_dataclass(value):
            for one in dataclasses.fields(value):
                yield from _kinds_of(getattr(value, one.name))


def _typed(kind: Any) -> str:
    """Source of a type made at a prompt; where even that is lost, a word of this process only."""
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return f"{_PROCESS} {id(kind)}"


def _digest(modules: Iterable[str]) -> str:
    """Digest of modules, of those of the same project they import, and of library versions."""
    waiting, libraries = sorted(set(modules)), set[str]()
    seen: dict[str, bytes] = {}
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        if not _is_own(name.partition(".")[0]):
            libraries.add(name.partition(".")[0])
            continue
        origin = _origin(name)
        if origin is None:
            continue
        seen[name] = origin.read_bytes()
        waiting += _imports(seen[name], name)
    found = hashlib.sha256()
    for name, source in sorted(seen.items()):
        found.update(f"{name}\n".encode() + source)
    for name in sorted(libraries - set(sys.stdlib_module_names)):
        found.update(f"{name} {_version(name)}\n".encode())
    return found.hexdigest()


@lru_cache(maxsize=256)
def _is_own(root: str) -> bool:
    """Whether a top-level package is ours or the user's own, and no installed library."""
    if root == _OWN:
        return True
    if root in sys.stdlib_module_names and root != "__main__":
        return False
    if root not in sys.modules and util.find_spec(root) is None:
        return False
    origin = _origin(root)
    if origin is None:  # a folder without __init__, or made at a prompt
        return not hasattr(sys.modules.get(root), "__file__")
    libraries = [sysconfig.get_path(name) for name in ("purelib", "platlib")]
    return not any(str(origin).startswith(folder) for folder in libraries)


def _origin(module: str) -> Path | None:
    """File of a module's source; None where there is none, e.g. of a compiled part."""
    origin = getattr(sys.modules.get(module), "__file__", None)
    if origin is None and module not in sys.modules:
        try:
            spec = util.find_spec(module)
        except (ImportError, ValueError):
            return None
        origin = spec.origin if spec else None
    if origin is None or not origin.endswith(".py"):
        return None
    path = Path(origin)
    return path if path.is_file() else None


@lru_cache(maxsize=4096)
def _imports(source: bytes, module: str) -> tuple[str, ...]:
    """Modules named by the import statements of a source, and names that may be modules."""
    return tuple(_named_imports(source, module))


def _named_imports(source: bytes, module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")[: -node.level]
                base = ".".join([*parts, base] if base else parts)
            yield base
            for alias in node.names:
                if _is_module(f"{base}.{alias.name}"):
                    yield f"{base}.{alias.name}"


@lru_cache(maxsize=4096)
def _is_module(name: str) -> bool:
    """Whether a name within the same project is a module of its own."""
    if name in sys.modules:
        return True
    parent, _, child = name.rpartition(".")
    package = sys.modules.get(parent)
    folders = getattr(package, "__path__", None)
    return folders is not None and any(
        Path(folder, f"{child}.py").is_file() or Path(folder, child, "__init__.py").is_file()
        for folder in folders
    )


@lru_cache(maxsize=256)
def _version(package: str) -> str:
    """Version of the distribution that brings a package; empty where none tells."""
    names = _distributions().get(package, [package])
    for name in names:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return ""


@lru_cache(maxsize=1)
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()
