# Direct integrations with services, of which the pinned engine knows those with queues alone.
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
    try:
        with urllib.request.urlopen(request, timeout=29) as response:
            return response.status, dict(response.headers), response.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, dict(refusal.headers), refusal.read()


# How an action that takes and answers JSON is named; see the request syntax of each in the service's API reference.
TARGETS = {
    "dynamodb": ("DynamoDB_20120810.", "application/x-amz-json-1.0"),
    "events": ("AWSEvents.", "application/x-amz-json-1.1"),
    "states": ("AWSStepFunctions.", "application/x-amz-json-1.0"),
}


def correct_service_integrations():
    """Lets methods call DynamoDB, Step Functions, EventBridge, SNS and S3 with the role of their integration.

    The engine knows integrations with functions and queues alone. The call goes through the engine's own front door,
    signed as the role, so that a missing grant fails as it does on AWS. See
    https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html.
    """
    from ministack.services import apigateway_v1 as gateway
    from ministack.services import sts

    invoke_function = gateway._invoke_lambda_custom_v1

    def credentials_of(role):
        digest = hashlib.sha256(role.encode()).hexdigest()
        key, secret, token = "ASIA" + digest[:16].upper(), "secret-" + digest, "token-" + digest
        name = role.rsplit("/", 1)[-1]
        sts.register_session(key, {
            "Arn": "arn:aws:sts::%s:assumed-role/%s/BackplaneAssumeRoleSession" % (role.split(":")[4], name),
            "UserId": name + ":BackplaneAssumeRoleSession", "SecretAccessKey": secret, "SessionToken": token,
        })
        return key, secret, token

    def mapped(integration, parameters):
        places = {"header": {}, "path": {}, "querystring": {}}
        for target, source in (integration.get("requestParameters") or {}).items():
            place, name = target.removeprefix("integration.request.").split(".", 1)
            if source.startswith("'"):
                places[place][name] = source[1:-1]
                continue
            _, _, group, key = (source.split(".", 3) + ["", "", ""])[:4]
            value = parameters.get(group, {}).get(key)
            if value is None and group == "header":
                value = next((v for k, v in parameters["header"].items() if k.lower() == key.lower()), None)
            if value is not None:
                places[place][name] = value
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
        first = lambda value: value[0] if isinstance(value, (list, tuple)) else value
        parameters = {
            "path": dict(path_params or {}),
            "querystring": {name: first(value) for name, value in (query_params or {}).items()},
            "header": {name: value for name, value in (headers or {}).items() if isinstance(value, str)},
        }
        context = {
            "apiId": api_id,
            "stage": stage_name,
            "httpMethod": method,
            "resourcePath": (resource or {}).get("path", ""),
            "path": "/%s%s" % (stage_name, request_path),
            "requestId": uuid.uuid4().hex,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": gateway._header_ci(headers, "user-agent") or ""},
            "authorizer": options.get("authorizer_context") or {},
        }
        essence = lambda value: (value or "application/json").split(",", 1)[0].split(";", 1)[0].strip().lower()
        media_type = essence(gateway._header_ci(headers, "content-type"))
        variables = (stage or {}).get("variables") or {}
        payload = body or b""
        for key, template in (integration.get("requestTemplates") or {}).items():
            if essence(key) == media_type:
                text = payload.decode("utf-8", errors="replace")
                payload = Evaluation(text, parameters, context, variables).render(template).encode()
        places = mapped(integration, parameters)
        sent = dict(places["header"])
        path, query = "/", urllib.parse.urlencode(sorted(places["querystring"].items()))
        if verb == "action" and service in TARGETS:
            prefix, media_type = TARGETS[service]
            sent.setdefault("X-Amz-Target", prefix + target)
            sent.setdefault("Content-Type", media_type)
        elif verb == "path":
            for name, value in places["path"].items():
                target = target.replace("{%s}" % name, urllib.parse.quote(value, safe=""))
            path = "/" + target.lstrip("/")
        else:
            message = {"message": "the engine does not call %s:%s/%s" % (service, verb, target)}
            return 500, {"Content-Type": "application/json"}, json.dumps(message).encode()
        url = os.environ["AWS_ENDPOINT_URL"] + path + ("?" + query if query else "")
        request = signed(
            integration.get("httpMethod") or "POST", url, region, service,
            credentials_of(integration.get("credentials") or ""), sent, payload,
        )
        status, answered, payload = await asyncio.to_thread(send, request)
        if service == "sns" and status == 200:
            # API Gateway asks for JSON, which the engine's Query API does not answer with.
            message_id = re.search(rb"<MessageId>([^<]*)</MessageId>", payload)
            result = {"MessageId": message_id[1].decode() if message_id else None}
            payload = json.dumps({"PublishResponse": {"PublishResult": result}}).encode()
        accept = essence(gateway._header_ci(headers, "accept"))
        return gateway._service_integration_response(
            integration, status, payload, accept, parameters, context, answered
        )

    gateway._invoke_lambda_custom_v1 = invoke
