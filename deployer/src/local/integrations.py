# Direct integrations with services, of which the pinned engine knows those with queues alone, and without their role.
import asyncio
import datetime
import hashlib
import hmac
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
import uuid
import xml.etree.ElementTree


def signed(method, url, region, service, credentials, headers, body):
    """Signs a request; see https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html."""
    access_key, secret, token = credentials
    parts = urllib.parse.urlsplit(url)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    headers = {
        **{name.lower(): value for name, value in headers.items()},
        "host": parts.netloc, "x-amz-date": now, "x-amz-security-token": token, "x-amz-content-sha256": digest,
    }
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        [method, parts.path or "/", parts.query]
        + [name + ":" + headers[name].strip() for name in sorted(headers)]
        + ["", names, digest]
    )
    scope = "/".join([now[:8], region, service, "aws4_request"])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (now[:8], region, service, "aws4_request", to_sign):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    headers["authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
        access_key, scope, names, key.hex(),
    )
    return urllib.request.Request(url, data=body, method=method, headers=headers)


def send(request):
    """Returns the status, headers and body of the answer, or nothing where none came in the time that AWS waits."""
    try:
        with urllib.request.urlopen(request, timeout=29) as response:
            return response.status, dict(response.headers), response.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, dict(refusal.headers), refusal.read()
    except OSError:
        return None


# How an action that takes and answers JSON is named; see the request syntax of each in the service's API reference.
TARGETS = {
    "dynamodb": ("DynamoDB_20120810.", "application/x-amz-json-1.0"),
    "events": ("AWSEvents.", "application/x-amz-json-1.1"),
    "states": ("AWSStepFunctions.", "application/x-amz-json-1.0"),
}
# Services that are called by their path, and of the Query protocol what API Gateway adds where they say nothing.
PATHS = {
    "s3": {},
    "sns": {"PublishResult": ("MessageId", "SequenceNumber")},
    "sqs": {
        "SendMessageResult": (
            "MD5OfMessageAttributes", "MD5OfMessageBody", "MD5OfMessageSystemAttributes", "MessageId", "SequenceNumber",
        ),
    },
}


def as_json(service, answer):
    """Writes an answer of the Query protocol as JSON, which API Gateway asks for and the engine does not speak."""

    def value(element):
        name = element.tag.rpartition("}")[2]
        inner = dict(map(value, element))
        inner.update({key: None for key in PATHS[service].get(name, ()) if key not in inner})
        return name, inner or element.text

    try:
        name, content = value(xml.etree.ElementTree.fromstring(answer))
    except xml.etree.ElementTree.ParseError:
        return answer
    return json.dumps(content if name == "ErrorResponse" else {name: content}).encode()


def described(
    api_id, stage_name, stage, resource, request_path, method, headers, query_params, path_params, authorizer
):
    """Returns the parameters of a request, its `$context` and its `$stageVariables`."""
    headers = {name: value for name, value in (headers or {}).items() if isinstance(value, str)}
    query = {
        name: value[0] if isinstance(value, (list, tuple)) else value for name, value in (query_params or {}).items()
    }
    context = {
        "apiId": api_id,
        "stage": stage_name,
        "httpMethod": method,
        "resourcePath": (resource or {}).get("path", ""),
        "path": "/%s%s" % (stage_name, request_path),
        "requestId": uuid.uuid4().hex,
        "identity": {"sourceIp": "127.0.0.1", "userAgent": headers.get("user-agent", "")},
        "authorizer": authorizer or {},
    }
    parameters = {"path": dict(path_params or {}), "querystring": query, "header": headers}
    return parameters, context, (stage or {}).get("variables") or {}


def essence(media_types):
    """Returns the first of a list of media types without its parameters."""
    return (media_types or "application/json").split(",", 1)[0].split(";", 1)[0].strip().lower()


def correct_service_integrations():
    """Lets methods call DynamoDB, Step Functions, EventBridge, SNS, SQS and S3 with the role of their integration.

    The call goes through the engine's own front door, signed as the role, so that a missing grant fails as it does on
    AWS. See https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html.
    """
    from ministack.core import iam_evaluator
    from ministack.services import apigateway_v1 as gateway
    from ministack.services import iam, sts

    invoke_function = gateway._invoke_lambda_custom_v1

    def may_be_assumed(role):
        parts = role.split(":", 5)
        if len(parts) < 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
            return False
        found = iam._roles.get_scoped(parts[4], None, role.rsplit("/", 1)[-1]) or {}
        trust = found.get("AssumeRolePolicyDocument") or "{}"
        statements = (json.loads(trust) if isinstance(trust, str) else trust).get("Statement") or []
        return any(
            statement.get("Effect") == "Allow"
            and iam_evaluator._service_principal_matches(statement.get("Principal"), "apigateway.amazonaws.com")
            for statement in (statements if isinstance(statements, list) else [statements])
        )

    def credentials_of(role):
        digest = hashlib.sha256(role.encode()).hexdigest()
        key, secret, token = "ASIA" + digest[:16].upper(), "secret-" + digest, "token-" + digest
        name = role.rsplit("/", 1)[-1]
        sts.register_session(key, {
            "Arn": "arn:aws:sts::%s:assumed-role/%s/BackplaneAssumeRoleSession" % (role.split(":")[4], name),
            "UserId": name + ":BackplaneAssumeRoleSession", "SecretAccessKey": secret, "SessionToken": token,
        })
        return key, secret, token

    def mapped(integration, parameters, body, context, variables):
        """Follows https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping.html."""
        places = {"header": {}, "path": {}, "querystring": {}}
        for target, source in (integration.get("requestParameters") or {}).items():
            place, name = target.removeprefix("integration.request.").split(".", 1)
            root, _, rest = source.partition(".")
            group, _, key = rest.removeprefix("request.").partition(".")
            if source.startswith("'"):
                value = source[1:-1]
            elif root == "context":
                value = Evaluation(body, parameters, context).render("$!{context.%s}" % rest) or None
            elif root == "stageVariables":
                value = variables.get(rest)
            elif group == "body":
                found = Evaluation(body, parameters).in_body(key or "$")
                value = None if found is MISSING else java_text(found)
            else:
                values = parameters.get(group.removeprefix("multivalue"), {})
                value = values.get(key)
                if value is None and group == "header":
                    value = next((v for k, v in values.items() if k.lower() == key.lower()), None)
            if value is not None:
                places.setdefault(place, {})[name] = value
        return places

    async def invoke(
        integration, api_id, stage_name, stage, resource, request_path, method, headers, body, query_params,
        path_params, **options,
    ):
        address = gateway._parse_service_integration_uri(integration.get("uri", ""))
        if not address or address[1] == "lambda":
            return await invoke_function(
                integration, api_id, stage_name, stage, resource, request_path, method, headers, body, query_params,
                path_params, **options,
            )
        region, service, verb, target = address
        parameters, context, variables = described(
            api_id, stage_name, stage, resource, request_path, method, headers, query_params, path_params,
            options.get("authorizer_context"),
        )
        media_type = essence(gateway._header_ci(headers, "content-type"))
        role = integration.get("credentials") or ""
        if not may_be_assumed(role):
            return misconfigured("API Gateway does not have permission to assume the role %r" % role)
        if not (service in TARGETS if verb == "action" else verb == "path" and service in PATHS):
            message = {"message": "the engine does not call %s:%s/%s" % (service, verb, target)}
            return 500, {"Content-Type": "application/json"}, json.dumps(message).encode()
        payload = body or b""
        text = payload.decode("utf-8", errors="replace")
        places = mapped(integration, parameters, text, context, variables)
        for key, template in (integration.get("requestTemplates") or {}).items():
            if essence(key) == media_type:
                evaluation = Evaluation(text, parameters, context, variables)
                payload = evaluation.render(template).encode()
                for place, values in evaluation.variables["context"]["requestOverride"].items():
                    places.setdefault(place, {}).update(values)
        sent = {name: java_text(value) for name, value in places["header"].items()}
        path, query = "/", urllib.parse.urlencode(sorted(places["querystring"].items()))
        if verb == "action":
            prefix, media_type = TARGETS[service]
            sent.setdefault("X-Amz-Target", prefix + target)
            sent.setdefault("Content-Type", media_type)
        else:
            for name, value in places["path"].items():
                target = target.replace("{%s}" % name, urllib.parse.quote(java_text(value), safe=""))
            path = "/" + target.lstrip("/")
        url = os.environ["AWS_ENDPOINT_URL"] + path + ("?" + query if query else "")
        request = signed(
            integration.get("httpMethod") or "POST", url, region, service, credentials_of(role), sent, payload
        )
        answered = await asyncio.to_thread(send, request)
        if answered is None:
            message = {"message": "Endpoint request timed out"}
            return 504, {"Content-Type": "application/json"}, json.dumps(message).encode()
        status, answered, payload = answered
        if verb == "action" and status == 403:
            # These services refuse with 400, the engine with the status of the others; see
            # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html.
            status = 400
        if service in ("sns", "sqs"):
            payload = as_json(service, payload)
        accept = essence(gateway._header_ci(headers, "accept"))
        return gateway._service_integration_response(
            integration, status, payload, accept, parameters, context, answered, variables
        )

    gateway._invoke_lambda_custom_v1 = gateway._invoke_sqs_v1 = transforming(invoke)
