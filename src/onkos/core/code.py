"""Digest of the code that decides an outcome, and the versions of the libraries it computes with.

Nothing is run for it: imports are read from the source text. A change of any line of a module,
or of any module of the same project that it imports, gives another digest.
"""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from importlib import metadata, util
from pathlib import Path
from typing import Any

_OWN = "onkos"


def code_digest(*values: object) -> str:
    """SHA-256 over the source of all modules that the types of some values rest on.

    Values inside the fields of dataclasses, and in tuples, lists and mappings, count too. The
    versions of the libraries that these modules import are part of it.
    """
    modules: set[str] = set()
    for value in values:
        modules |= set(_modules_of(value))
    return _digest(frozenset(modules))


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


def _modules_of(value: object) -> Iterator[str]:
    """Modules in which the types of a value, and of what it holds, are written."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _modules_of(item)
        return
    if isinstance(value, tuple | list | set | frozenset):
        for item in value:
            yield from _modules_of(item)
        return
    if isinstance(value, partial):
        yield from _modules_of((value.func, value.args, value.keywords))
        return
    kind = value if isinstance(value, type) or callable(value) else type(value)
    module = getattr(kind, "__module__", "") or type(value).__module__
    if module and module != "builtins":
        yield module
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield type(value).__module__
        for one in dataclasses.fields(value):
            yield from _modules_of(getattr(value, one.name))


@lru_cache(maxsize=256)
def _digest(modules: frozenset[str]) -> str:
    roots = {root for name in modules if _is_own(root := name.partition(".")[0])} | {_OWN}
    own = [name for name in modules if name.partition(".")[0] in roots]
    waiting, seen = sorted(own), set[str]()
    libraries = {name.partition(".")[0] for name in modules} - roots
    state = hashlib.sha256()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        source = _source(name)
        if source is None:
            libraries.add(name.partition(".")[0])
            continue
        for used in _imports(source, name):
            if used.partition(".")[0] in roots:
                waiting.append(used)
            else:
                libraries.add(used.partition(".")[0])
    for name in sorted(seen):
        state.update(f"{name}\n".encode())
        state.update(_source(name) or b"")
    for name in sorted(libraries - set(sys.stdlib_module_names)):
        state.update(f"{name} {_version(name)}\n".encode())
    return state.hexdigest()


@lru_cache(maxsize=256)
def _is_own(root: str) -> bool:
    """Whether a top-level package is ours or the user's own, and no installed library."""
    if root == _OWN:
        return True
    if root in sys.stdlib_module_names and root != "__main__":
        return False
    origin = getattr(sys.modules.get(root), "__file__", None)
    libraries = [sysconfig.get_path(name) for name in ("purelib", "platlib")]
    return origin is not None and not any(origin.startswith(folder) for folder in libraries)


def _source(module: str) -> bytes | None:
    """Source of a module; None where there is none, e.g. of a library's compiled part."""
    loaded = sys.modules.get(module)
    origin = getattr(loaded, "__file__", None)
    if origin is None:
        try:
            spec = util.find_spec(module)
        except (ImportError, ValueError):
            return None
        origin = spec.origin if spec else None
    if origin is None or not origin.endswith(".py") or not Path(origin).is_file():
        return None
    return Path(origin).read_bytes()


def _imports(source: bytes, module: str) -> Iterator[str]:
    """Modules named by the import statements of a source, and names that may be modules."""
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
