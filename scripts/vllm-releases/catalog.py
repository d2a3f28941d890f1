"""What a release says of itself in literals: architectures, quantization methods, parsers, its `transformers`."""

import ast
import functools
import pathlib
import re

# By the table that it is in, a task for each architecture; the first that has it counts.
TASKS = (
    ("_SPECULATIVE_DECODING_MODELS", "draft"),
    ("_TEXT_GENERATION_MODELS", "generate"),
    ("_GENERATION_MODELS", "generate"),
    ("_CONDITIONAL_GENERATION_MODELS", "generate"),
    ("_MULTIMODAL_MODELS", "multimodal"),
    ("_CROSS_ENCODER_MODELS", "classify"),
    ("_SEQUENCE_CLASSIFICATION_MODELS", "classify"),
    ("_TOKEN_CLASSIFICATION_MODELS", "classify"),
    ("_REWARD_MODELS", "reward"),
    ("_LATE_INTERACTION_MODELS", "embed"),
    ("_EMBEDDING_MODELS", "embed"),
    ("_TRANSFORMERS", "generate"),
    ("_FALLBACK_MODEL", "generate"),
)


def facts_of(root: pathlib.Path) -> dict:
    vllm = root / "vllm"
    metadata = next(root.glob("vllm-*.dist-info/METADATA")).read_text(encoding="utf-8")
    return {
        "architectures": architectures(vllm),
        "configTypes": config_types(vllm),
        "quantization": quantization(vllm),
        "toolParsers": parsers(vllm, "ToolParserManager", "_TOOL_PARSERS_TO_REGISTER"),
        "reasoningParsers": parsers(vllm, "ReasoningParserManager", "_REASONING_PARSERS_TO_REGISTER"),
        "transformers": transformers_bound(metadata, ">="),
        "transformersBelow": transformers_bound(metadata, "<"),
    }


def transformers_bound(metadata: str, operator: str) -> str | None:
    found = re.search(rf"^Requires-Dist: transformers\b[^;\n]*?{operator}\s*([\d.]+)", metadata, re.M)
    return found and found[1]


def tree(file: pathlib.Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def literals(module: ast.Module) -> dict:
    """Returns the module's names that are bound to literals, each as its value; `**NAME` inside of one is followed."""
    known: dict = {}

    def value(node: ast.expr):
        if isinstance(node, ast.Dict):
            result: dict = {}
            for key, item in zip(node.keys, node.values):
                if key is None:
                    result.update(value(item))
                else:
                    result[value(key)] = value(item)
            return result
        if isinstance(node, ast.Name):
            return known[node.id]
        if isinstance(node, (ast.List, ast.Tuple)):
            return [value(item) for item in node.elts]
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Literal":
            inner = node.slice
            return value(inner) if isinstance(inner, ast.Tuple) else [value(inner)]
        if isinstance(node, ast.JoinedStr):
            return "text"
        if isinstance(node, ast.DictComp):
            # A part of another table: `{k: v for k, v in _TEXT_GENERATION_MODELS.items() if …}`.
            return eval(compile(ast.Expression(node), "registry", "eval"), {"__builtins__": {}, **known})
        return ast.literal_eval(node)

    for statement in module.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name, node = statement.targets[0].id, statement.value
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            name, node = statement.target.id, statement.value
        else:
            continue
        try:
            known[name] = value(node)
        except (ValueError, KeyError, TypeError, NameError):
            continue
    return known


def architectures(vllm: pathlib.Path) -> dict[str, str]:
    """Returns `TASK[ lora][ audio]` by architecture."""
    models = vllm / "model_executor/models"
    registry = models / "registry.py"
    tables = literals(tree(registry if registry.exists() else models / "__init__.py"))
    whole = tables.get("_VLLM_MODELS") or tables["_MODELS"]
    classes = Classes(models)
    result = {}
    for name, (module, class_name) in whole.items():
        task = next(task for prefix, task in TASKS for table in tables if table.startswith(prefix) and name in tables[table])
        bases = classes.bases(module, class_name)
        marks = [task]
        if bases & {"SupportsLoRA"}:
            marks.append("lora")
        if bases & {"SupportsTranscription", "SupportsTranscriptionOnly"}:
            marks.append("audio")
        if module.startswith("transformers") or name == "TransformersModel":
            marks.append("transformers")
        result[name] = " ".join(marks)
    return dict(sorted(result.items()))


class Classes:
    """The bases of the classes of a folder of modules, own and inherited."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder

    def bases(self, module: str, name: str, depth: int = 0) -> set[str]:
        classes, imports = self._module(module)
        if name not in classes:
            origin = imports.get(name)
            return self.bases(origin, name, depth + 1) if origin and depth < 8 else set()
        found = set(classes[name])
        for base in classes[name]:
            if depth < 8 and (base in classes or base in imports):
                found |= self.bases(module, base, depth + 1)
        return found

    @functools.cache
    def _module(self, module: str) -> tuple[dict[str, list[str]], dict[str, str]]:
        """Classes with their bases, and imported names with their modules. By pattern: 300 syntax trees take seconds."""
        path = self.folder.joinpath(*module.split("."))
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if not file.is_file():
            return {}, {}
        text = file.read_text(encoding="utf-8")
        package = module if path.is_dir() else module.rpartition(".")[0]
        classes: dict[str, list[str]] = {}
        for name, header, body in re.findall(r"^class (\w+)\(([^:]*?)\):(.*?)(?=^\S|\Z)", text, re.M | re.S):
            classes[name] = [base.rpartition(".")[2] for base in re.findall(r"[\w.]+", header)]
            # Before there were classes for it, LoRA was an attribute.
            if re.search(r"^    supported_lora_modules\b", body, re.M):
                classes[name].append("SupportsLoRA")
        imports = {}
        for origin, names in re.findall(r"^from ([\w.]+) import (\([^)]*\)|[^\n(]*)", text, re.M):
            target = _origin(origin, package)
            if target is not None:
                imports |= {name: target for name in re.findall(r"(\w+)\s*(?=,|\)|$|#|\n)", names)}
        return classes, imports


def _statements(body: list[ast.stmt]):
    """Every statement of a module, those under an `if` or `try` too, and none of a function or class."""
    for node in body:
        yield node
        for part in ("body", "orelse", "handlers", "finalbody"):
            if isinstance(node, (ast.If, ast.Try, ast.ExceptHandler)):
                yield from _statements(getattr(node, part, []))


def _origin(origin: str, package: str) -> str | None:
    """The module of the folder that an import names; `package` is that of the importing module."""
    prefix = "vllm.model_executor.models."
    dots = len(origin) - len(origin.lstrip("."))
    if dots == 0:
        return origin[len(prefix) :] if origin.startswith(prefix) else None
    parts = package.split(".") if package else []
    parts = parts[: len(parts) - (dots - 1)] if dots > 1 else parts
    return ".".join([*parts, *filter(None, origin.lstrip(".").split("."))]) or None


def config_types(vllm: pathlib.Path) -> list[str]:
    """The model types whose configuration vLLM brings itself, so that a repository's own code is not needed for it."""
    found: set[str] = set()
    for node in tree(vllm / "transformers_utils/config.py").body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if not (isinstance(target, ast.Name) and target.id.startswith("_CONFIG_REGISTRY")):
            continue
        for part in ast.walk(node.value):
            if isinstance(part, ast.Dict):
                found |= {key.value for key in part.keys if isinstance(key, ast.Constant)}
            elif isinstance(part, ast.Call):
                found |= {keyword.arg for keyword in part.keywords if keyword.arg}
    return sorted(found)


def quantization(vllm: pathlib.Path) -> list[str]:
    module = tree(vllm / "model_executor/layers/quantization/__init__.py")
    known = literals(module)
    names = known.get("QuantizationMethods") or known.get("QUANTIZATION_METHODS")
    if names is None:
        # A table of classes: its keys are the methods.
        names = next(
            [key.value for key in node.value.keys if isinstance(key, ast.Constant)]
            for node in module.body
            if isinstance(node, (ast.Assign, ast.AnnAssign))
            and isinstance(node.value, ast.Dict)
            and "QUANTIZATION_METHODS" in ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
        )
    return sorted(names)


def parsers(vllm: pathlib.Path, manager: str, table: str) -> list[str]:
    names: set[str] = set()
    folders = ("entrypoints/openai/tool_parsers", "entrypoints/openai/reasoning_parsers", "tool_parsers", "reasoning", "parser")
    for folder in folders:
        for file in (vllm / folder).rglob("*.py"):
            module = tree(file)
            names |= set(literals(module).get(table) or {})
            for node in _statements(module.body):
                if isinstance(node, ast.ClassDef):
                    for decorator in node.decorator_list:
                        names |= _registered(decorator, manager)
    return sorted(names)


def _registered(node: ast.expr, manager: str) -> set[str]:
    """The names in `@MANAGER.register_module("name")`, a list of names or `name=`."""
    if not (isinstance(node, ast.Call) and ast.unparse(node.func) == f"{manager}.register_module"):
        return set()
    values = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "name")]
    if not values:
        return set()
    name = ast.literal_eval(values[0])
    return {name} if isinstance(name, str) else set(name)
