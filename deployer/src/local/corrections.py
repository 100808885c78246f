# What the pinned engine does differently from AWS in a way that deployed code would notice.
import json


def correct_lambda_integrations():
    """Gives an integration with a function that is no proxy its mapping templates and its error responses.

    The engine sends such a function the event of a proxy, and answers every error with 200. AWS sends the mapped
    body, or the body itself, and selects the response by the whole error message; see
    https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html.
    """
    from ministack.services import apigateway_v1 as gateway

    async def invoke(
        integration, api_id, stage_name, stage, resource, request_path, method, headers, body, query_params,
        path_params, *, owner_account_id=None, owner_region=None, authorizer_context=None, **_unused,
    ):
        text = body.decode("utf-8", errors="replace") if body else ""
        parameters, context, variables = described(  # noqa: F821
            api_id, stage_name, stage, resource, request_path, method, headers, query_params, path_params,
            authorizer_context,
        )
        content_type = essence(gateway._header_ci(headers, "content-type"))  # noqa: F821
        for key, template in (integration.get("requestTemplates") or {}).items():
            if essence(key) == content_type:  # noqa: F821
                text = Evaluation(text, parameters, context, variables).render(template)  # noqa: F821
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
            return misconfigured("the function %r cannot be invoked" % function)  # noqa: F821

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
        accept = essence(gateway._header_ci(headers, "accept"))  # noqa: F821
        return gateway._service_integration_response(
            {**integration, "integrationResponses": responses}, message, text, accept, parameters, context,
            variables=variables,
        )

    gateway._invoke_lambda_custom_v1 = invoke


def correct_policy_variables():
    """Puts what is known of the caller into the variables of policies, names the role of a session and not the session,
    and says whose the credentials of an identity pool are.

    The engine takes `${aws:username}` for a text, so that whoever is allowed something of their own is allowed
    nothing; see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html. For `aws:PrincipalArn`
    and the keys and tags of an identity pool see
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn,
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif and
    https://docs.aws.amazon.com/cognito/latest/developerguide/using-afac-with-cognito-identity-pools.html.
    """
    import dataclasses
    import re

    from ministack.core import iam_evaluator
    from ministack.services import cognito, iam, sts

    variable = re.compile(r"\$\{\s*([^},]*?)\s*(?:,\s*'([^']*)'\s*)?\}")
    # A character that a pattern takes literally: the engine's patterns cannot say more than that it is one.
    literals = {"*": "?", "?": "?", "$": "$"}
    give_credentials = cognito._get_credentials_for_identity
    resolve_uncorrected = iam_evaluator.resolve_principal
    resolve_key_uncorrected = iam_evaluator._resolve_condition_key
    session_arn = re.compile(r"arn:([\w-]+):sts::(\d*):assumed-role/([^/]+)/.*")

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
        def value(found):
            known = literals.get(found[1]) or keys.get(found[1].lower())
            return known if isinstance(known, str) else found[2]

        for text in texts:
            # What names an unknown variable matches nothing.
            if all(value(found) is not None for found in variable.finditer(text)):
                yield variable.sub(value, text)

    def condition_for(keys, tests):
        answer = {}
        for key, expected in tests.items():
            texts = expected if isinstance(expected, list) else [expected]
            answer[key] = list(resolved(map(str, texts), keys))
            if not answer[key]:
                return None
        return answer

    def statement_for(keys, statement):
        resources = list(resolved(statement.resources, keys))
        conditions = {
            operator: condition_for(keys, tests) if isinstance(tests, dict) else tests
            for operator, tests in (statement.conditions or {}).items()
        }
        if statement.resources and not resources or None in conditions.values():
            return None
        return dataclasses.replace(
            statement, resources=resources, conditions=conditions,
            not_resources=list(resolved(statement.not_resources, keys)),
        )

    def policies_for(keys, policies):
        return policies and [
            [statement for statement in (statement_for(keys, each) for each in policy) if statement]
            for policy in policies
        ]

    def role_of(principal):
        found = session_arn.fullmatch(principal)
        if not found:
            return principal
        role = iam._roles.get_scoped(found[2], None, found[3]) or {}
        return role.get("Arn") or "arn:%s:iam::%s:role/%s" % found.groups()

    def resolve_key(key, context):
        value = resolve_key_uncorrected(key, context)
        return role_of(value) if key.lower() == "aws:principalarn" and isinstance(value, str) else value

    def resolve(access_key_id, account_id, credential=None):
        principal = resolve_uncorrected(access_key_id, account_id, credential)
        if not isinstance(principal, iam_evaluator.PrincipalInfo):
            return principal
        keys = {
            "aws:principalarn": role_of(principal.arn), "aws:principalaccount": principal.account,
            "aws:principaltype": principal.type, **principal.keys,
        }
        session = sts._sessions.get(access_key_id) or {}
        if session.get("_identity_id"):
            keys["cognito-identity.amazonaws.com:sub"] = session["_identity_id"]
            keys["cognito-identity.amazonaws.com:aud"] = session["_identity_pool_id"]
            keys["cognito-identity.amazonaws.com:amr"] = session["_cognito_amr"]
        return dataclasses.replace(
            principal, keys=keys, policies=policies_for(keys, principal.policies),
            limits=[policies_for(keys, limit) for limit in principal.limits],
        )

    cognito._get_credentials_for_identity = credentials_with_tags
    iam_evaluator.resolve_principal = resolve
    iam_evaluator._resolve_condition_key = resolve_key


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
    """Ends the wait of a task for its token when a heartbeat is missed, and takes both times from the input.

    The engine takes heartbeats and never misses one, so a task with `HeartbeatSeconds` alone would wait for ever, as one
    would whose times are paths. The error of AWS is `States.Timeout`, and a retrier or catcher of
    `States.HeartbeatTimeout` fits it too; see
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html and
    https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html#task-state-fields.
    """
    import contextvars
    import threading
    import time

    from ministack.services import stepfunctions as machines

    execute_uncorrected = machines._execute_task
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

    def execute(state, raw_input, execution, context):
        times = {}
        for name in ("TimeoutSeconds", "HeartbeatSeconds"):
            path = state.get(name + "Path")
            if path:
                seconds = machines._resolve_path_or_ctx(path, raw_input, context)
                if type(seconds) is not int or seconds <= 0:
                    cause = "The %sPath parameter does not reference a positive integer: %s" % (name, seconds)
                    raise machines._ExecutionError("States.Runtime", cause)
                times[name] = seconds
        return execute_uncorrected({**state, **times}, raw_input, execution, context)

    def invoke(resource, input_data, token, state):
        if isinstance(state.get("HeartbeatSeconds"), int):
            state = Watched(state)
            state.token = token
        return invoke_uncorrected(resource, input_data, token, state)

    def matches(error_equals, error):
        if isinstance(error, Missed) and "States.HeartbeatTimeout" in error_equals:
            return True
        return matches_uncorrected(error_equals, error)

    machines._execute_task = execute
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

    def asked(service, action, call):
        """Returns the resources of a call, each with what a policy may ask of the call beside."""
        if service == "lambda":
            return [(named("lambda", "function:", call.get("FunctionName")), {})]
        if service == "dynamodb":
            table = named("dynamodb", "table/", call.get("TableName"))
            index = call.get("IndexName")
            return [("%s/index/%s" % (table, index) if table and index else table, {})]
        if service == "events":
            entries = call.get("Entries")
            entries = [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
            return [
                (
                    named("events", "event-bus/", each.get("EventBusName", "default")),
                    {"events:source": each.get("Source"), "events:detail-type": each.get("DetailType")},
                )
                for each in entries
            ]
        if service == "sqs":
            return [(named("sqs", "", str(call.get("QueueUrl") or "").rsplit("/", 1)[-1] or None), {})]
        if service == "sns":
            return [(call.get("TopicArn"), {})]
        if service == "states":
            return [("*" if action.startswith("SendTask") else call.get("StateMachineArn") or call.get("ExecutionArn"), {})]
        return []

    def check(resource, call):
        role = acting.get()
        if not role:
            return
        _, _, rest = resource.partition(":states:::")
        service, _, action = rest.removeprefix("aws-sdk:").partition(":")
        if ":lambda:" in resource and ":function:" in resource:
            service, action, call = "lambda", "invoke", {"FunctionName": resource}
        if not action or not isinstance(call, dict):
            return
        service = {"sfn": "states"}.get(service, service)
        action = action.split(".", 1)[0]
        action = action[0].upper() + action[1:]
        permission = "%s:%s" % (service, "InvokeFunction" if service == "lambda" else action)
        account, name = role.split(":")[4], role.rsplit("/", 1)[-1]
        caller = "arn:aws:sts::%s:assumed-role/%s/states" % (account, name)
        policies = iam_evaluator._gather_role_policies(name, account)
        for arn, keys in asked(service, action, call):
            if not isinstance(arn, str):
                continue
            question = iam_evaluator.EvalContext(
                principal_arn=caller, principal_type="AssumedRole", principal_account=account,
                action=permission, resource_arn=arn, region=get_region(), service_context=keys,
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


def correct_addresses_of_apis():
    """Gives functions the engine's address of an API that they are given, in place of one that leads out of this machine.

    The function of a WebSocket API is given the address of its connections; see
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html.
    """
    import os
    import re

    from ministack.core import lambda_runtime
    from ministack.services import apigateway, apigateway_v1, lambda_svc

    spawn_uncorrected = lambda_runtime.Worker._spawn
    variables_uncorrected = lambda_svc._runtime_env_vars
    address = re.compile(r"\b(https|wss)://([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?(?![\w.-])")

    def here(found):
        stores = (apigateway._apis, apigateway_v1._rest_apis)
        if not any(key == found[2] for store in stores for (_, _, key), _ in store.all_items()):
            return found[0]
        scheme = {"https": "http", "wss": "ws"}[found[1]]
        return "%s://%s/_aws/execute-api/%s" % (scheme, os.environ["AWS_ENDPOINT_URL"].partition("://")[2], found[2])

    def corrected(variables):
        return {name: address.sub(here, str(value)) for name, value in variables.items()}

    def spawn(worker):
        config = worker.config
        variables = (config.get("Environment") or {}).get("Variables") or {}
        worker.config = {**config, "Environment": {"Variables": corrected(variables)}}
        try:
            return spawn_uncorrected(worker)
        finally:
            worker.config = config

    # Functions in Python have workers of their own, all others have their variables made.
    lambda_runtime.Worker._spawn = spawn
    lambda_svc._runtime_env_vars = lambda config: corrected(variables_uncorrected(config))


def correct_attributes_of_user_pools():
    """Gives user pools the attribute `ProviderURL`, which is what issues their tokens.

    See
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html#aws-resource-cognito-userpool-return-values.
    """
    from ministack.services.cloudformation import provisioners

    attributes_uncorrected = provisioners._cognito_user_pool_attributes

    def attributes(pool):
        known = attributes_uncorrected(pool)
        return {**known, "ProviderURL": "https://" + known["ProviderName"]}

    provisioners._cognito_user_pool_attributes = attributes


def correct_cors_of_http_apis():
    """Keeps what an HTTP API answers to pages of other origins under the names that its answers look for.

    The engine keeps the names of the template, and then refuses every origin. See
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html.
    """
    from ministack.services.cloudformation import provisioners

    handler = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    create_uncorrected, update_uncorrected = handler["create"], handler["update"]

    def corrected(props):
        cors = props.get("CorsConfiguration")
        if not isinstance(cors, dict):
            return props
        return {**props, "CorsConfiguration": {name[:1].lower() + name[1:]: value for name, value in cors.items()}}

    def create(logical_id, props, stack_name):
        return create_uncorrected(logical_id, corrected(props), stack_name)

    def update(physical_id, old_props, new_props, stack_name, logical_id=None):
        return update_uncorrected(physical_id, old_props, corrected(new_props), stack_name, logical_id)

    handler.update(create=create, update=update)
