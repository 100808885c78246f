# What the pinned engine does differently from AWS in a way that deployed code would notice.
import json


def correct_lambda_integrations():
    """Gives an integration with a function that is no proxy its mapping templates and its error responses.

    The engine sends such a function the event of a proxy, and answers every error with 200. AWS sends the mapped
    body, or the body itself, and selects the response by the whole error message; see
    https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html.
    """
    from ministack.services import apigateway_v1 as gateway

    def essence(content_type):
        return content_type.split(";", 1)[0].strip().lower()

    def header(headers, name, default):
        values = [value for key, value in (headers or {}).items() if key.lower() == name]
        return essence(values[0].split(",", 1)[0]) if values and isinstance(values[0], str) else default

    def first(value):
        return value[0] if isinstance(value, (list, tuple)) else value

    async def invoke(
        integration, api_id, stage_name, stage, resource, request_path, method, headers, body, query_params,
        path_params, *, owner_account_id=None, owner_region=None, authorizer_context=None, **_unused,
    ):
        text = body.decode("utf-8", errors="replace") if body else ""
        parameters = {
            key: first(value)
            for source in (headers, query_params, path_params)
            for key, value in (source or {}).items()
        }
        context = {"authorizer": authorizer_context} if authorizer_context else {}
        content_type = header(headers, "content-type", "application/json")
        for key, template in (integration.get("requestTemplates") or {}).items():
            if essence(key) == content_type:
                text = gateway._render_request_template_v1(template, text, parameters, context)
                break

        try:
            event = json.loads(text) if text else {}
        except ValueError as error:
            answer = {"message": "Could not parse request body into json: %s" % error, "Type": "User"}
            return 400, {"Content-Type": "application/json"}, json.dumps(answer).encode()
        function = gateway._extract_lambda_ref_from_integration_uri(integration.get("uri", ""))
        result, missing = await gateway._call_lambda_raw(
            function, event, account_id=owner_account_id, region=owner_region
        )
        if missing or result.get("throttle"):
            answer = {"message": "Internal server error"}
            return 500, {"Content-Type": "application/json"}, json.dumps(answer).encode()

        payload = result.get("body")
        if isinstance(payload, (bytes, bytearray)):
            payload = payload.decode("utf-8", errors="replace")
        failed = result.get("error")
        if isinstance(payload, str) and (failed or result.get("raw_payload")):
            text = payload
        else:
            text = json.dumps(payload, ensure_ascii=False)

        message = ""
        responses = {}
        if failed:
            parsed = payload if isinstance(payload, dict) else {}
            message = str(parsed.get("errorMessage") or text)
        for key, response in (integration.get("integrationResponses") or {}).items():
            pattern = (response or {}).get("selectionPattern")
            # Only a failure has a message that a pattern could match.
            if failed or not pattern:
                # Patterns are Java's, where \z is what Python writes as \Z.
                responses[key] = {**response, "selectionPattern": (pattern or "").replace(r"\z", r"\Z")}
        accept = header(headers, "accept", "application/json")
        return gateway._service_integration_response(
            {**integration, "integrationResponses": responses}, message, text, accept, parameters, context
        )

    gateway._invoke_lambda_custom_v1 = invoke


def correct_policy_variables():
    """Puts what is known of the caller into the variables of policies, and says whose the credentials of an identity
    pool are.

    The engine takes `${aws:username}` for a text, so that whoever is allowed something of their own is allowed
    nothing; see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html. For the keys and
    tags of an identity pool see
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif and
    https://docs.aws.amazon.com/cognito/latest/developerguide/using-afac-with-cognito-identity-pools.html.
    """
    import dataclasses
    import re

    from ministack.core import iam_evaluator
    from ministack.services import cognito, sts

    variable = re.compile(r"\$\{([^}]*)\}")
    literals = {"*": "*", "?": "?", "$": "$"}
    give_credentials = cognito._get_credentials_for_identity
    resolve_uncorrected = iam_evaluator.resolve_principal

    def credentials_with_tags(data):
        response = give_credentials(data)
        if response[0] != 200:
            return response
        session = sts._sessions[json.loads(response[2])["Credentials"]["AccessKeyId"]]
        pool = cognito._identity_pools.get(session["_identity_pool_id"]) or {}
        tags = {}
        for provider, token in session["_logins"].items():
            mapping = pool.get("_principal_tags", {}).get(provider) or {}
            names = {"username": "sub", "client": "aud"} if mapping.get("UseDefaults") else mapping.get("PrincipalTags", {})
            claims = cognito._token_claims(token)
            tags.update({tag: str(claims[claim]) for tag, claim in names.items() if claim in claims})
        session["SessionTags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        return response

    def resolved(texts, keys):
        for text in texts:
            names = variable.findall(text)
            # What names an unknown variable matches nothing.
            if all(name in literals or isinstance(keys.get(name.lower()), str) for name in names):
                yield variable.sub(lambda found: literals.get(found[1]) or keys[found[1].lower()], text)

    def statement_for(keys, statement):
        resources = list(resolved(statement.resources, keys))
        if statement.resources and not resources:
            return None
        return dataclasses.replace(
            statement, resources=resources, not_resources=list(resolved(statement.not_resources, keys))
        )

    def resolve(access_key_id, account_id, credential=None):
        principal = resolve_uncorrected(access_key_id, account_id, credential)
        if not isinstance(principal, iam_evaluator.PrincipalInfo):
            return principal
        keys = dict(principal.keys)
        session = sts._sessions.get(access_key_id) or {}
        if session.get("_identity_id"):
            keys["cognito-identity.amazonaws.com:sub"] = session["_identity_id"]
            keys["cognito-identity.amazonaws.com:aud"] = session["_identity_pool_id"]
            keys["cognito-identity.amazonaws.com:amr"] = session["_cognito_amr"]
        policies = principal.policies and [
            [statement for statement in (statement_for(keys, each) for each in policy) if statement]
            for policy in principal.policies
        ]
        return dataclasses.replace(principal, keys=keys, policies=policies)

    cognito._get_credentials_for_identity = credentials_with_tags
    iam_evaluator.resolve_principal = resolve


def correct_hosted_zones():
    """Takes every hosted zone that a template names by its id to be there.

    A zone belongs to the owner of the domain and is older than the stacks that put records into it. The engine begins
    without any, and would refuse the records of every stage that has a domain.
    """
    from ministack.services import route53
    from ministack.services.cloudformation import provisioners

    resolve_uncorrected = provisioners._r53_resolve_hosted_zone_id

    def resolve(props):
        zone = resolve_uncorrected(props)
        with route53._lock:
            if zone not in route53._zones:
                name = route53._normalise_name(str(props.get("Name", ""))).partition(".")[2]
                route53._zones[zone] = {
                    "id": zone,
                    "name": name,
                    "caller_reference": zone,
                    "comment": "",
                    "private": False,
                    "vpcs": [],
                }
                route53._records[zone] = route53._default_records(name)
        return zone

    provisioners._r53_resolve_hosted_zone_id = resolve


def correct_task_heartbeats():
    """Ends the wait of a task for its token when a heartbeat is missed.

    The engine takes heartbeats and never misses one, so a task with `HeartbeatSeconds` alone would wait for ever. The
    error of AWS is `States.Timeout`, and a retrier or catcher of `States.HeartbeatTimeout` fits it too; see
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html.
    """
    import contextvars
    import threading
    import time

    from ministack.services import stepfunctions as machines

    invoke_uncorrected = machines._invoke_with_callback
    matches_uncorrected = machines._error_matches

    class Missed(str):
        """The name of the error of a missed heartbeat."""

    def watch(task, seconds):
        seen, due = None, time.monotonic() + seconds
        while not task["event"].wait(max(0, min(due - time.monotonic(), 0.2))):
            if task["heartbeat"] != seen:
                seen, due = task["heartbeat"], time.monotonic() + seconds
            elif time.monotonic() >= due:
                task["error"] = {"Error": Missed("States.Timeout"), "Cause": ""}
                task["event"].set()

    class Watched(dict):
        """A state whose heartbeats are watched from when its timeout is asked for: the call is made by then, and the
        wait for the answer begins."""

        token = None

        def get(self, key, default=None):
            if key == "TimeoutSeconds":
                task, seconds = machines._task_tokens[self.token], self["HeartbeatSeconds"]
                context = contextvars.copy_context()
                threading.Thread(target=context.run, args=(watch, task, seconds), daemon=True).start()
            return super().get(key, default)

    def invoke(resource, input_data, token, state):
        if isinstance(state.get("HeartbeatSeconds"), int):
            state = Watched(state)
            state.token = token
        return invoke_uncorrected(resource, input_data, token, state)

    def matches(error_equals, error):
        if isinstance(error, Missed) and "States.HeartbeatTimeout" in error_equals:
            return True
        return matches_uncorrected(error_equals, error)

    machines._invoke_with_callback = invoke
    machines._error_matches = matches


def correct_state_machine_roles():
    """Lets the tasks of a state machine do what its role is allowed, and nothing else.

    The engine carries out every task as the owner of the account, so a grant that is missing would be missed on AWS
    only. What is not known to name a resource is left to the engine; see
    https://docs.aws.amazon.com/step-functions/latest/dg/concept-create-iam-advanced.html.
    """
    import contextvars

    from ministack.core import iam_evaluator
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import stepfunctions as machines

    execute_uncorrected = machines._execute_task
    invoke_uncorrected = machines._invoke_resource
    wait_uncorrected = machines._invoke_with_callback
    acting = contextvars.ContextVar("acting", default=None)

    def named(service, kind, name):
        if not isinstance(name, str) or name.startswith("arn:"):
            return name
        return "arn:aws:%s:%s:%s:%s%s" % (service, get_region(), get_account_id(), kind, name)

    def resources(service, action, call):
        if service == "lambda":
            return [named("lambda", "function:", call.get("FunctionName"))]
        if service == "dynamodb":
            table = named("dynamodb", "table/", call.get("TableName"))
            return [table + "/index/" + call["IndexName"] if "IndexName" in call else table]
        if service == "events":
            return [named("events", "event-bus/", each.get("EventBusName", "default")) for each in call["Entries"]]
        if service == "sqs":
            return [named("sqs", "", call["QueueUrl"].rsplit("/", 1)[-1])]
        if service == "sns":
            return [call.get("TopicArn")]
        if service == "states":
            return ["*" if action.startswith("SendTask") else call.get("StateMachineArn") or call.get("ExecutionArn")]
        return []

    def check(resource, call):
        role = acting.get()
        _, _, rest = resource.partition(":states:::")
        service, _, action = rest.removeprefix("aws-sdk:").partition(":")
        if not role or not action or not isinstance(call, dict):
            return
        service = {"sfn": "states"}.get(service, service)
        action = action.split(".", 1)[0]
        action = action[0].upper() + action[1:]
        permission = "%s:%s" % (service, "InvokeFunction" if service == "lambda" else action)
        account, name = role.split(":")[4], role.rsplit("/", 1)[-1]
        caller = "arn:aws:sts::%s:assumed-role/%s/states" % (account, name)
        policies = iam_evaluator._gather_role_policies(name, account)
        for arn in resources(service, action, call):
            if not isinstance(arn, str):
                continue
            question = iam_evaluator.EvalContext(
                principal_arn=caller, principal_type="AssumedRole", principal_account=account,
                action=permission, resource_arn=arn, region=get_region(),
            )
            if iam_evaluator.evaluate(question, policies).decision != "Allow":
                raise machines._ExecutionError(
                    "States.Permissions",
                    "%s is not authorized to perform: %s on resource: %s" % (caller, permission, arn),
                )

    def execute(state, raw_input, execution, context):
        machine = machines._state_machines.get((execution or {}).get("stateMachineArn")) or {}
        token = acting.set(machine.get("roleArn"))
        try:
            return execute_uncorrected(state, raw_input, execution, context)
        finally:
            acting.reset(token)

    def invoke(resource, call):
        check(resource, call)
        return invoke_uncorrected(resource, call)

    def wait(resource, call, token, state):
        check(resource, call)
        return wait_uncorrected(resource, call, token, state)

    machines._execute_task = execute
    machines._invoke_resource = invoke
    machines._invoke_with_callback = wait
