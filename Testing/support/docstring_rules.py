"""Rules for public docstrings, checked in the source: shapes, units, errors and sources of methods.

Ruff checks that there is a docstring; these rules check its content:

- an array or tensor that is taken or returned has its shape: axes in brackets, such as (k, j, i) or (N,); a heading
  with "Arrays are (N,)" covers its whole file, and weights by name have none;
- a length, position, time or volume has its unit;
- an error that leaves the function is named under `Raises`, even if a helper in the same file raises it;
- `Args` names existing parameters;
- a file with methods names their sources, or states that they are ours: in its heading, or with each function.

Errors raised by functions of other files are not detected.
"""

import ast
import builtins
import re
from dataclasses import dataclass, field

_AXIS = (
    r"(\.\.\.|\w|\d+|slices|rows|columns|channels|features|points|widths\[2\]|(schema )?width|clinical_inputs|"
    r"N of the cache|spec\.slices)( / \d)?"
)
SHAPE = re.compile(rf"\({_AXIS},( {_AXIS},?)*\)|\b(same|any) shapes?\b|\bone-dimensional\b|\bscalar\b", re.IGNORECASE)
CONVENTION = re.compile(r"\b(Arrays|Tensors) (are|keep)\b")  # of a heading, about the whole file
STATE = re.compile(r"(Mapping|dict)\[str, Tensor\]")  # weights by name
UNIT = re.compile(
    r"\b(mm|ml|s|ms|min|minutes|seconds|years|degrees|mM|indices|index|voxels?|pixels?|inches|megabytes)\b|\[0, 1\]",
    re.IGNORECASE,
)
UNIT_IN_NAME = re.compile(r"_(mm|ml|s)$")
SOURCE = re.compile(r"\bSources?:|\bafter [A-Z]\w+.*\d{4}|arXiv|et al\.,? |\bours\b")
ARRAYS = re.compile(r"\b(ndarray|Tensor|memmap)\b")
NUMBERS = re.compile(r"\b(float|ndarray|Tensor)\b")
QUANTITY = re.compile(
    r"(^|_)(spacing|origin|positions?|points?|centre|peak|radius|radii|distances?|diameter|thickness|offset|times?|"
    r"volume|duration|age|injection)(_|$)"
)
SECTION = re.compile(r"^(Args|Returns|Yields|Raises|Source|Sources):(.*)$")
ERRORS = {"DataError": ValueError}  # our own


@dataclass
class Docstring:
    """The parts of a docstring."""

    text: str = ""  # before the sections
    entries: dict = field(default_factory=dict)  # of Args: name to text
    sections: dict = field(default_factory=dict)  # others: name to text

    def about(self, name):
        """Return the entry of a parameter, or else the text before the entries."""
        return self.entries.get(name, self.text)

    @property
    def whole(self):
        return "\n".join([self.text, *self.entries.values(), *self.sections.values()])


def parse(docstring):
    """Divide a docstring in Google's style."""
    found, section, names = Docstring(), None, []
    for line in (docstring or "").splitlines():
        if header := SECTION.match(line):
            section = header.group(1)
            found.sections[section] = f"{section}:{header.group(2)}\n" if section.startswith("Source") else ""
        elif section is None or (line and not line.startswith(" ")):
            section = None
            found.text += line + "\n"
        elif section == "Args":
            if entry := re.match(r" {4}([\w, *]+): (.*)$", line):
                names = [name.strip(" *") for name in entry.group(1).split(",")]
                line = entry.group(2)
            for name in names:
                found.entries[name] = found.entries.get(name, "") + line.strip() + " "
        else:
            found.sections[section] += line + "\n"
    return found


def problems(source, *, sources=None, makers=()):
    """Return what is missing in the public docstrings of a file, one line each.

    Args:
        source: of the file.
        sources: "heading" if it has a method, "each" if each of its functions is one.
        makers: (name, error) of functions of other files that make an error for their caller to raise.
    """
    module = ast.parse(source)
    heading = ast.get_docstring(module) or ""
    raised = _errors_of(module, dict(makers))
    found = ["must give a source in its heading"] if sources == "heading" and not SOURCE.search(heading) else []
    for owner, node in _public(module):
        doc = parse(ast.get_docstring(node))
        name = f"{owner.name}.{node.name}" if owner is not None else node.name
        if isinstance(node, ast.ClassDef):
            made = {error for key in ("__init__", "__post_init__") for error in raised.get((node.name, key), ())}
            missing = [*_of_fields(node, doc, heading), *_of_errors(made, doc)]
        else:
            errors = raised[(owner.name if owner is not None else None, node.name)]
            missing = [*_of_values(node, doc, heading), *_of_errors(errors, doc), *_of_entries(node, doc)]
        is_formula = sources == "each" and owner is None and isinstance(node, ast.FunctionDef)
        if is_formula and not SOURCE.search(doc.whole) and f"`{name}`" not in heading:
            missing.append("must give its source, here or by name in the docstring of its file")
        found += [f"{name}: {problem}" for problem in missing]
    return found


def _public(module):
    """Yield (class or None, function or class) of everything public."""
    for node in module.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield None, node
            for inner in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                    yield node, inner


def _parameters(node):
    args = node.args
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs, *filter(None, (args.vararg, args.kwarg))]
    return {arg.arg: ast.unparse(arg.annotation) if arg.annotation else "" for arg in every}


def _of_values(node, doc, heading):
    """Check shapes and units of a function's arguments and result."""
    for name, kind in _parameters(node).items():
        yield from _of_value(name, kind, doc.about(name), heading)
    returns = STATE.sub("", ast.unparse(node.returns)) if node.returns else ""
    text = doc.sections.get("Returns") or doc.sections.get("Yields") or doc.text
    if ARRAYS.search(returns) and not SHAPE.search(text) and not _convention(heading):
        yield f"must give the shape of what it returns, {returns}"
    if "float" in returns and QUANTITY.search(node.name) and not UNIT.search(text):
        yield "must give the unit of what it returns"


def _of_fields(node, doc, heading):
    """Check shapes and units of a dataclass's fields."""
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and not item.target.id.startswith("_"):
            yield from _of_value(item.target.id, ast.unparse(item.annotation), doc.about(item.target.id), heading)


def _of_value(name, kind, text, heading):
    is_array = ARRAYS.search(STATE.sub("", kind)) and "Callable" not in kind
    if is_array and not SHAPE.search(text) and not _convention(heading):
        yield f"must give the shape of {name}"
    if NUMBERS.search(kind) and QUANTITY.search(name) and not UNIT.search(text) and not UNIT_IN_NAME.search(name):
        yield f"must give the unit of {name}"


def _convention(heading):
    return CONVENTION.search(heading) and SHAPE.search(heading)


def _of_entries(node, doc):
    for name in doc.entries.keys() - _parameters(node).keys():
        yield f"Args must name parameters, got {name}"


def _of_errors(errors, doc):
    named = doc.sections.get("Raises", "")
    for error in sorted(errors):
        if not re.search(rf"\b{error}\b", named):
            yield f"must name {error} under Raises"


def _errors_of(module, makers):
    """Map (class or None, function) to the names of its errors, including those of helpers in the same file."""
    functions = {(None, n.name): n for n in module.body if isinstance(n, ast.FunctionDef)}
    for owner in (n for n in module.body if isinstance(n, ast.ClassDef)):
        functions |= {(owner.name, n.name): n for n in owner.body if isinstance(n, ast.FunctionDef)}
    for (_, name), node in functions.items():
        if node.returns is not None and re.search(r"Error$", made := ast.unparse(node.returns)):
            makers[name] = made
    errors = {key: set() for key in functions}
    while True:
        found = {key: set(_leaving(node.body, (), key[0], errors, makers)) for key, node in functions.items()}
        if found == errors:
            return found
        errors = found


def _leaving(nodes, caught, owner, errors, makers):
    """Return the names of the errors that leave these statements uncaught."""
    for node in nodes:
        if isinstance(node, ast.Try):
            inner = (*caught, *(name for handler in node.handlers for name in _caught_by(handler)))
            yield from _leaving(node.body, inner, owner, errors, makers)
            rest = [*node.orelse, *node.finalbody, *(s for h in node.handlers for s in h.body)]
            yield from _leaving(rest, caught, owner, errors, makers)
            continue
        if isinstance(node, ast.With):
            inner = (*caught, *(name for item in node.items for name in _suppressed(item.context_expr)))
            if any(_is_call(item.context_expr, "refusing_damage") for item in node.items):
                if not any(_is_a("DataError", other) for other in inner):
                    yield "DataError"
                inner = (*inner, "Exception")
            yield from _leaving([item.context_expr for item in node.items], caught, owner, errors, makers)
            yield from _leaving(node.body, inner, owner, errors, makers)
            continue
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            continue  # runs elsewhere
        names = ()
        if isinstance(node, ast.Raise) and node.exc is not None:
            target = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            names = [makers.get(ast.unparse(target), ast.unparse(target))]
        elif isinstance(node, ast.Call):
            names = errors.get(_called(node, owner), ())
        for name in names:
            if name[0].isupper() and not any(_is_a(name, other) for other in caught):
                yield name
        yield from _leaving(ast.iter_child_nodes(node), caught, owner, errors, makers)


def _is_call(node, name):
    return isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name


def _suppressed(context):
    """Return the names of the errors that `contextlib.suppress` suppresses."""
    return [ast.unparse(kind) for kind in context.args] if _is_call(context, "suppress") else []


def _called(call, owner):
    if isinstance(call.func, ast.Name):
        return None, call.func.id
    own = isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) == "self"
    return (owner, call.func.attr) if own else None


def _caught_by(handler):
    if handler.type is None:
        return ["BaseException"]
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return [ast.unparse(kind) for kind in kinds]


def _is_a(name, other):
    one, two = (ERRORS.get(n) or getattr(builtins, n, None) for n in (name, other))
    return name == other or (one is not None and two is not None and other not in ERRORS and issubclass(one, two))
