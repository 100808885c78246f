# Mapping templates, of which the pinned engine knows parts only.
import base64
import functools
import json
import logging
import re
import urllib.parse

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
TARGET = re.compile(r"\$!?\{?([A-Za-z][\w-]*(?:\.[A-Za-z][\w-]*)*)\}?\s*=\s*")
PATH_STEP = re.compile(r"\.([\w@:-]+)|\[(?:'([^']*)'|\"([^\"]*)\"|([\w@:-]+))\]")
MISSING = object()


class Untransformable(Exception):
    """A template that cannot be evaluated, of which AWS too tells its caller nothing."""


class Template:
    """A mapping template of the Velocity Template Language.

    See https://velocity.apache.org/engine/1.7/user-guide.html and
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html.
    """

    def __init__(self, text):
        self.text, self.at = text, 0
        self.nodes = self.block()
        if self.at < len(text):
            raise ValueError("a directive without its beginning at %r" % text[self.at : self.at + 20])

    def take(self, token):
        taken = self.text.startswith(token, self.at)
        self.at += len(token) if taken else 0
        return taken

    def expect(self, token):
        self.blanks()
        if not self.take(token):
            raise ValueError("%r expected at %r" % (token, self.text[self.at : self.at + 20]))

    def blanks(self):
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def directive(self, name):
        return self.take("#{%s}" % name) or self.take("#" + name)

    def line_end(self):
        """Swallows the end of a line that holds nothing after a directive."""
        end = self.at
        while end < len(self.text) and self.text[end] in " \t\r":
            end += 1
        if end < len(self.text) and self.text[end] == "\n":
            self.at = end + 1

    def block(self):
        nodes = []
        while self.at < len(self.text):
            rest = self.text[self.at :]
            if rest.startswith(("#end", "#{end}", "#else", "#{else")):
                break
            if self.take("##"):
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end + 1
            elif self.take("#*"):
                end = self.text.find("*#", self.at)
                self.at = len(self.text) if end < 0 else end + 2
            elif re.match(r"#if\s*\(", rest):
                nodes.append(self.choice())
            elif re.match(r"#foreach\s*\(", rest):
                nodes.append(self.loop())
            elif re.match(r"#set\s*\(", rest):
                self.at = self.text.index("(", self.at) + 1
                self.blanks()
                target = TARGET.match(self.text, self.at)
                if not target:
                    raise ValueError("#set of nothing at %r" % rest[:20])
                self.at = target.end()
                nodes.append(("set", target[1].split("."), self.expression()))
                self.expect(")")
                self.line_end()
            elif reference := self.reference():
                nodes.append(reference)
            else:
                nodes.append(("text", rest[0]))
                self.at += 1
        return nodes

    def choice(self):
        cases = []
        while True:
            self.at = self.text.index("(", self.at) + 1
            condition = self.expression()
            self.expect(")")
            cases.append((condition, self.block()))
            if not self.directive("elseif"):
                break
        otherwise = self.block() if self.directive("else") else []
        if not self.directive("end"):
            raise ValueError("#if without #end")
        return "if", cases, otherwise

    def loop(self):
        self.at = self.text.index("(", self.at) + 1
        self.blanks()
        variable = re.compile(r"\$!?\{?([A-Za-z][\w-]*)\}?\s+in\s+").match(self.text, self.at)
        if not variable:
            raise ValueError("#foreach without a variable")
        self.at = variable.end()
        elements = self.expression()
        self.expect(")")
        body = self.block()
        if not self.directive("end"):
            raise ValueError("#foreach without #end")
        return "foreach", variable[1], elements, body

    def reference(self):
        """Takes a reference, or nothing where the `$` stands for itself."""
        start = self.at
        if not self.take("$"):
            return None
        quiet, braced = self.take("!"), self.take("{")
        name = NAME.match(self.text, self.at)
        if not name:
            self.at = start
            return None
        self.at = name.end()
        steps = []
        while True:
            before = self.at
            if self.take("["):
                steps.append(("index", self.expression()))
                self.expect("]")
                continue
            step = NAME.match(self.text, self.at + 1) if self.text.startswith(".", self.at) else None
            if not step:
                self.at = before
                break
            self.at = step.end()
            if self.take("("):
                arguments = []
                self.blanks()
                while not self.take(")"):
                    arguments.append(self.expression())
                    self.blanks()
                    self.take(",")
                    self.blanks()
                steps.append(("call", step[0], arguments))
            else:
                steps.append(("property", step[0]))
        if braced:
            self.expect("}")
        return "reference", name[0], steps, quiet, self.text[start : self.at]

    def expression(self):
        left = self.conjunction()
        while self.operator("||"):
            left = ("or", left, self.conjunction())
        return left

    def conjunction(self):
        left = self.comparison()
        while self.operator("&&"):
            left = ("and", left, self.comparison())
        return left

    def comparison(self):
        left = self.primary()
        for operator in ("==", "!=", "<=", ">=", "<", ">"):
            if self.operator(operator):
                return "compare", operator, left, self.primary()
        return left

    def operator(self, token):
        self.blanks()
        return self.take(token)

    def primary(self):
        self.blanks()
        if self.take("!"):
            return "not", self.primary()
        if self.take("("):
            inner = self.expression()
            self.expect(")")
            return inner
        if reference := self.reference():
            return reference
        quote = self.text[self.at : self.at + 1]
        if quote and quote in "'\"":
            end = self.text.find(quote, self.at + 1)
            if end < 0:
                raise ValueError("a quote without its end")
            inner = self.text[self.at + 1 : end]
            self.at = end + 1
            return ("quoted", inner) if quote == "'" else ("template", Template(inner))
        literal = re.compile(r"true|false|-?\d+(?:\.\d+)?").match(self.text, self.at)
        if not literal:
            raise ValueError("no value at %r" % self.text[self.at : self.at + 20])
        self.at = literal.end()
        return "literal", json.loads(literal[0])


def java_pattern(pattern):
    return re.sub(r"\\Q(.*?)\\E", lambda quoted: re.escape(quoted[1]), pattern).replace(r"\z", r"\Z")


def java_text(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return str(value)


def escape_java_script(text):
    named = {"\b": r"\b", "\n": r"\n", "\t": r"\t", "\f": r"\f", "\r": r"\r"}
    named.update({character: "\\" + character for character in "'\"\\/"})
    units = text.encode("utf-16-be", "surrogatepass")
    characters = [int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2)]
    return "".join(
        named.get(chr(unit)) or (chr(unit) if 32 <= unit < 127 else "\\u%04X" % unit) for unit in characters
    )


def method_of(value, name, arguments):
    """Calls a method that the value has in Java; the names are those of String, Map and List."""
    first = arguments[0] if arguments else None
    if name == "toString":
        return java_text(value)
    if isinstance(value, dict):
        known = {
            "get": lambda: value.get(first),
            "keySet": lambda: list(value),
            "values": lambda: list(value.values()),
            "size": lambda: len(value),
            "isEmpty": lambda: not value,
            "containsKey": lambda: first in value,
        }
    elif isinstance(value, list):
        known = {
            "get": lambda: value[first],
            "size": lambda: len(value),
            "isEmpty": lambda: not value,
            "contains": lambda: first in value,
        }
    elif isinstance(value, str):
        known = {
            "trim": value.strip,
            "length": lambda: len(value),
            "isEmpty": lambda: not value,
            "toLowerCase": value.lower,
            "toUpperCase": value.upper,
            "equals": lambda: value == first,
            "equalsIgnoreCase": lambda: isinstance(first, str) and value.lower() == first.lower(),
            "startsWith": lambda: value.startswith(first),
            "endsWith": lambda: value.endswith(first),
            "contains": lambda: first in value,
            "indexOf": lambda: value.find(first),
            "substring": lambda: value[slice(*arguments)],
            "split": lambda: re.split(java_pattern(first), value),
            "matches": lambda: re.fullmatch(java_pattern(first), value) is not None,
            "replaceAll": lambda: re.sub(java_pattern(first), lambda _: arguments[1], value),
            "replace": lambda: value.replace(*arguments),
        }
    else:
        known = {}
    return known[name]() if name in known else None


class Evaluation:
    """One evaluation of a template for a request, or for the answer of a service."""

    def __init__(self, body, parameters, context=None, stage_variables=None):
        self.body, self.parameters = body, parameters
        self.variables = {
            "context": {**(context or {}), "responseOverride": {"header": {}}, "requestOverride": {"header": {}}},
            "stageVariables": stage_variables or {},
        }

    @property
    def override(self):
        return self.variables["context"]["responseOverride"]

    def render(self, text):
        try:
            return self.block(Template(text).nodes)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, re.error) as error:
            raise Untransformable(str(error)) from error

    def block(self, nodes):
        return "".join(self.node(node) for node in nodes)

    def node(self, node):
        kind = node[0]
        if kind == "text":
            return node[1]
        if kind == "reference":
            value = self.value(node)
            return java_text(value) if value is not None or node[3] else node[4]
        if kind == "if":
            for condition, block in node[1]:
                if self.truth(condition):
                    return self.block(block)
            return self.block(node[2])
        if kind == "foreach":
            elements = self.value(node[2])
            if isinstance(elements, dict):
                elements = list(elements.values())
            elif not isinstance(elements, list):
                elements = []
            text = ""
            for position, element in enumerate(elements):
                self.variables[node[1]] = element
                self.variables["foreach"] = {
                    "index": position, "count": position + 1, "hasNext": position + 1 < len(elements),
                    "first": position == 0, "last": position + 1 == len(elements),
                }
                text += self.block(node[3])
            return text
        _, path, expression = node
        value = self.value(expression)
        if value is not None:
            target = self.variables
            for step in path[:-1]:
                target = target.setdefault(step, {})
            target[path[-1]] = value
        return ""

    def truth(self, expression):
        value = self.value(expression)
        return value is not None and value is not False

    def value(self, expression):
        kind = expression[0]
        if kind in ("literal", "quoted"):
            return expression[1]
        if kind == "template":
            return self.block(expression[1].nodes)
        if kind == "not":
            return not self.truth(expression[1])
        if kind == "and":
            return self.truth(expression[1]) and self.truth(expression[2])
        if kind == "or":
            return self.truth(expression[1]) or self.truth(expression[2])
        if kind == "compare":
            left, right = self.value(expression[2]), self.value(expression[3])
            try:
                return {
                    "==": lambda: left == right, "!=": lambda: left != right, "<": lambda: left < right,
                    ">": lambda: left > right, "<=": lambda: left <= right, ">=": lambda: left >= right,
                }[expression[1]]()
            except TypeError:
                return False
        _, root, steps, _, _ = expression
        if root in ("input", "util") and steps:
            value, steps = self.function(root, steps[0]), steps[1:]
        else:
            value = self.variables.get(root)
        for step in steps:
            value = self.step(value, step)
        return value

    def step(self, value, step):
        if value is None:
            return None
        if step[0] == "call":
            return method_of(value, step[1], [self.value(argument) for argument in step[2]])
        key = step[1] if step[0] == "property" else self.value(step[1])
        if isinstance(value, list) and isinstance(key, int):
            return value[key] if key < len(value) else None
        return value.get(key) if isinstance(value, dict) else None

    def function(self, root, step):
        name = step[1]
        arguments = [self.value(argument) for argument in step[2]] if step[0] == "call" else []
        first = arguments[0] if arguments else None
        if root == "input":
            if name == "body" and step[0] == "property":
                return self.body
            if name == "params":
                if not arguments:
                    return self.parameters
                groups = [self.parameters[group] for group in ("path", "querystring", "header")]
                return next((group[first] for group in groups if first in group), "")
            if name == "path":
                found = self.in_body(first)
                return "" if found is MISSING else found
            if name == "json":
                found = self.in_body(first)
                return '""' if found is MISSING else json.dumps(found, separators=(",", ":"), ensure_ascii=False)
            return None
        if not isinstance(first, str):
            return None
        if name == "escapeJavaScript":
            return escape_java_script(first)
        if name == "urlEncode":
            return urllib.parse.quote_plus(first, safe="*").replace("~", "%7E")
        if name == "urlDecode":
            return urllib.parse.unquote_plus(first)
        if name == "base64Encode":
            return base64.b64encode(first.encode()).decode()
        if name == "base64Decode":
            return base64.b64decode(first).decode()
        if name == "parseJson":
            return json.loads(first)
        return None

    def in_body(self, path):
        steps, at = [], 1 if path.startswith("$") else 0
        if not at:
            path = "." + path
        while at < len(path):
            step = PATH_STEP.match(path, at)
            if not step:
                raise Untransformable("the engine knows no JSONPath like %r" % path)
            steps.append(next(key for key in step.groups() if key is not None))
            at = step.end()
        try:
            found = json.loads(self.body)
        except (TypeError, ValueError):
            return MISSING
        for key in steps:
            if isinstance(found, dict) and key in found:
                found = found[key]
            elif isinstance(found, list) and key.isdigit() and int(key) < len(found):
                found = found[int(key)]
            else:
                return MISSING
        return found


def transforming(invoke):
    """Makes an integration answer as AWS does where one of its templates cannot be evaluated.

    The reason is told to the log alone; see
    https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html.
    """

    @functools.wraps(invoke)
    async def answer(*arguments, **options):
        try:
            return await invoke(*arguments, **options)
        except Untransformable as error:
            return misconfigured("unable to transform: %s" % error)

    return answer


def misconfigured(reason):
    logging.getLogger("ministack").error("Execution failed due to configuration error: %s", reason)
    return 500, {"Content-Type": "application/json"}, b'{"message": "Internal server error"}'


def correct_mapping_templates():
    """Evaluates mapping templates as a whole: conditions, loops, escapes and the status that an answer sets."""
    from ministack.services import apigateway_v1 as gateway

    def render(template, body, parameters, context=None):
        return Evaluation(body, grouped(parameters), context).render(template)

    def grouped(parameters):
        if isinstance(parameters.get("querystring"), dict):
            return parameters
        # The engine's own integrations do not tell the places of parameters apart.
        return {"path": parameters, "querystring": parameters, "header": parameters}

    def respond(
        integration, status_of_service, body, accept, parameters, context=None, headers=None, variables=None
    ):
        selected = gateway._select_service_integration_response(integration, status_of_service)
        if selected is None:
            return misconfigured("no integration response for %s" % status_of_service)
        status = int(selected.get("statusCode") or 200)
        answer = {"Content-Type": "application/json"}
        received = {name.lower(): value for name, value in (headers or {}).items()}
        for target, source in (selected.get("responseParameters") or {}).items():
            name = target.removeprefix("method.response.header.")
            if source.startswith("'"):
                answer[name] = source[1:-1]
            elif (given := received.get(source.removeprefix("integration.response.header.").lower())) is not None:
                answer[name] = given
        templates = selected.get("responseTemplates") or {}
        template = templates.get(accept) or templates.get("application/json")
        if template is None:
            return status, answer, body if isinstance(body, bytes) else body.encode()
        text = body.decode("utf-8", errors="replace") if isinstance(body, bytes) else body
        evaluation = Evaluation(text, grouped(parameters), context, variables)
        rendered = evaluation.render(template)
        answer.update(evaluation.override["header"])
        status = evaluation.override.get("status", status)
        if not str(status).isdecimal():
            raise Untransformable("%r is no status" % status)
        return int(status), answer, rendered.encode()

    gateway._render_request_template_v1 = render
    gateway._service_integration_response = respond
