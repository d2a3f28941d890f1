"""Stands for everything that a release's parser imports and does not need: torch, transformers and vLLM's own engine.

Real are the standard library and those modules of vLLM that define the parser. Whatever else is imported becomes a
module in which every name is a class, so that it serves as a type, a base, a decorator or a value.
"""

import ast
import contextlib
import dataclasses
import enum
import importlib.abc
import importlib.machinery
import importlib.util
import pathlib
import re
import sys
import types
import typing

import catalog

# Modules of the release that are run as they are; a pattern for each era of its layout.
REAL = re.compile(
    r"vllm\.(?:"
    r"engine(?:\.arg_utils)?"
    r"|entrypoints(?:\.openai|\.common|\.cli|\.serve)?"
    r"|entrypoints\.(?:.*\.)?cli_args|entrypoints\.cli\.(?:serve|types)|entrypoints\.constants"
    r"|config|config\..*"
    r"|utils|utils\.(?:argparse_utils|argparse|func_utils|collection_utils|import_utils|mem_constants)"
    r"|model_executor|model_executor\.layers|model_executor\.layers\.quantization"
    r"|tool_parsers|reasoning|entrypoints\.openai\.tool_parsers"
    r"|tool_parsers\.abstract_tool_parser|reasoning\.abs_reasoning_parsers|entrypoints\.openai\.tool_parsers\.abstract_tool_parser"
    r"|parser|parser\.parser_manager"
    r")"
)


class Stub(type):
    """A class whose every attribute is such a class."""

    def __getattr__(cls, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return make(name)

    def __call__(cls, *args, **kwargs):
        # As a decorator it leaves things as they are.
        if len(args) == 1 and not kwargs and (isinstance(args[0], type) or callable(args[0])):
            return args[0]
        return super().__call__()

    def __getitem__(cls, item):
        return cls

    def __iter__(cls):
        return iter(())

    def __len__(cls):
        return 0

    def __contains__(cls, item):
        return False

    def _less(cls, other):
        return False

    def _more(cls, other):
        return True

    def _self(cls, other):
        return cls

    __lt__ = __le__ = _less
    __gt__ = __ge__ = _more
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __floordiv__ = _self


def make(name: str) -> type:
    def __getattr__(self, attribute):
        if attribute.startswith("__") and attribute.endswith("__"):
            raise AttributeError(attribute)
        return make(attribute)

    def __call__(self, *args, **kwargs):
        return args[0] if len(args) == 1 and callable(args[0]) else make(name)()

    methods = {
        "__init__": lambda self, *args, **kwargs: None,
        "__getattr__": __getattr__,
        "__call__": __call__,
        "__getitem__": lambda self, item: self,
        "__iter__": lambda self: iter(()),
        "__len__": lambda self: 0,
        "__bool__": lambda self: False,
        "__enter__": lambda self: self,
        "__exit__": lambda self, *args: None,
        "__lt__": lambda self, other: False,
        "__le__": lambda self, other: False,
        "__gt__": lambda self, other: True,
        "__ge__": lambda self, other: True,
        "__eq__": lambda self, other: self is other,
        "__hash__": object.__hash__,
        "__module__": "stub",
    }
    return Stub(name, (), methods)


class FieldInfo:
    """pydantic's, as far as a parser asks: https://docs.pydantic.dev/latest/api/fields/"""

    def __init__(self, default=dataclasses.MISSING, *, default_factory=None, init=None, **_):
        self.default, self.default_factory, self.init = default, default_factory, init

    def to_field(self):
        init = True if self.init is None else self.init
        if self.default_factory is not None:
            return dataclasses.field(default_factory=self.default_factory, init=init)
        if self.default is dataclasses.MISSING or self.default is ...:
            return dataclasses.field(default=None, init=init)
        if type(self.default).__hash__ is None:
            return dataclasses.field(default_factory=lambda: self.default, init=init)
        return dataclasses.field(default=self.default, init=init)


def dataclass(cls=None, /, **options):
    known = {key: value for key, value in options.items() if key in ("init", "repr", "eq", "order", "frozen", "kw_only")}

    def decorate(cls):
        for name in getattr(cls, "__annotations__", {}):
            value = cls.__dict__.get(name)
            if isinstance(value, FieldInfo):
                setattr(cls, name, value.to_field())
        # Defaults are made of configurations: what these check of the machine has no say here.
        cls.__post_init__ = lambda self, *args: None
        return dataclasses.dataclass(cls, **known)

    return decorate if cls is None else decorate(cls)


class Transparent:
    """`SkipValidation[X]` is `X`."""

    def __class_getitem__(cls, item):
        return item


def _decorator(*_args, **_kwargs):
    return lambda function: function


class TypeAdapter:
    """Takes JSON objects of a dataclass; `keys` are those of the last one that was asked for."""

    keys: tuple[str, ...] = ()

    def __init__(self, cls=None, **_):
        self.cls = cls

    def validate_json(self, text):
        import json

        if not dataclasses.is_dataclass(self.cls):
            return json.loads(text)
        TypeAdapter.keys = tuple(sorted(field.name for field in dataclasses.fields(self.cls) if field.init))
        value = json.loads(text)
        if not isinstance(value, dict):
            raise ValueError("not an object")
        return value

    def validate_python(self, value):
        return value


class BaseModel:
    @classmethod
    def model_validate_json(cls, text):
        import json

        value = json.loads(text)
        if not isinstance(value, dict):
            raise ValueError("not an object")
        return value

    @classmethod
    def model_validate(cls, value):
        return value


PYDANTIC = {
    "FieldInfo": FieldInfo,
    "Field": FieldInfo,
    "SkipValidation": Transparent,
    "ConfigDict": dict,
    "field_validator": _decorator,
    "model_validator": _decorator,
    "field_serializer": _decorator,
    "TypeAdapter": TypeAdapter,
    "ValidationError": ValueError,
    "BaseModel": BaseModel,
    "dataclass": dataclass,
}


class StubModule(types.ModuleType):
    __path__: list[str] = []
    __version__ = "9999.0.0"

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        value = _special(self.__name__, name)
        if value is None and self.__name__.startswith("vllm."):
            value = stated(self.__name__, name)
        if value is None:
            value = make(name)
        setattr(self, name, value)
        return value


class Platform:
    """The machine that images are for: one with NVIDIA's GPUs."""

    device_type = "cuda"
    device_name = "cuda"
    supported_quantization: list[str] = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: name in ("is_cuda", "is_cuda_alike")


def _special(module: str, name: str):
    if module == "vllm.platforms" and name == "current_platform":
        return Platform()
    if module.startswith("pydantic"):
        if name == "dataclasses":
            return None
        return PYDANTIC.get(name)
    if module == "typing_extensions":
        return getattr(typing, name, None) or {"TypeIs": Transparent, "deprecated": _decorator}.get(name)
    if module == "regex":
        return getattr(re, name, None)
    if module == "vllm.logger":
        return make(name)() if name == "logger" else None
    return None


ROOT: list[pathlib.Path] = []


def stated(module: str, name: str, depth: int = 0):
    """A type such as `Literal["a", "b"]`, or a constant, that a module states and that needs no code to run."""
    base = ROOT[0].joinpath(*module.split("."))
    file = next((file for file in (base / "__init__.py", base.with_suffix(".py")) if file.is_file()), None)
    if file is None or depth > 4:
        return None
    for node in catalog.tree(file).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == name and getattr(node, "value", None) is not None:
            others = {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)} - {"Literal", name}
            names = {other: value for other in others if (value := stated(module, other, depth + 1)) is not None}
            with contextlib.suppress(Exception):
                code = compile(ast.Expression(node.value), name, "eval")
                return eval(code, {"__builtins__": {}, "Literal": typing.Literal, **names})
        if isinstance(node, ast.ClassDef) and node.name == name and any("Enum" in ast.unparse(base) for base in node.bases):
            values = [item for item in node.body if isinstance(item, ast.Assign) and isinstance(item.value, ast.Constant)]
            return enum.Enum(name, {item.targets[0].id: item.value.value for item in values})
        if isinstance(node, ast.ImportFrom) and any((alias.asname or alias.name) in (name, "*") for alias in node.names):
            origin = node.module or ""
            if node.level:
                parts = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
                origin = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [origin])])
            found = stated(origin, name, depth + 1) if origin.startswith("vllm.") else None
            if found is not None:
                return found
    return None


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, root: pathlib.Path):
        self.root = root
        self.stubbed: set[str] = set()

    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names:
            return None
        if name == "vllm":
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        if top == "vllm" and REAL.fullmatch(name):
            base = self.root.joinpath(*name.split("."))
            for file, is_package in ((base / "__init__.py", True), (base.with_suffix(".py"), False)):
                if file.is_file():
                    return importlib.util.spec_from_file_location(
                        name, file, submodule_search_locations=[str(base)] if is_package else None
                    )
        self.stubbed.add(name)
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return StubModule(spec.name)

    def exec_module(self, module):
        pass


def install(root: pathlib.Path) -> Finder:
    ROOT[:] = [root]
    finder = Finder(root)
    sys.meta_path.insert(0, finder)
    return finder
