def correct_changes_of_references():
    """Lets an update change nothing but outputs, or nothing but what is imported.

    The engine compares resources by their values, and calls all else no change. AWS adds, changes and removes outputs and
    exports by themselves, with a change set that names no resource; see
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html. It also updates a stack that
    takes the same value from elsewhere, which is its advice for exports that are in use; see
    https://repost.aws/knowledge-center/cloudformation-stack-export-name-error.
    """
    from ministack.services import cloudformation
    from ministack.services.cloudformation import changesets, handlers

    def outputs(template):
        return template.get("Outputs") or {}

    def imports(value):
        if isinstance(value, list):
            return [found for entry in value for found in imports(entry)]
        if not isinstance(value, dict):
            return []
        own = [value["Fn::ImportValue"]] if "Fn::ImportValue" in value else []
        return own + [found for key in sorted(value) for found in imports(value[key])]

    create_uncorrected = changesets._create_change_set

    def create(params):
        answer = create_uncorrected(params)
        name, stack_name = (handlers._p(params, key) for key in ("ChangeSetName", "StackName"))
        _, change_set = changesets._find_change_set(name, stack_name) if answer[0] == 200 else (None, None)
        if not change_set or change_set["ChangeSetType"] != "UPDATE":
            return answer
        if change_set["Status"] != "FAILED" or "didn't contain changes" not in change_set["StatusReason"]:
            return answer
        stack = cloudformation._stacks.get(change_set["StackName"]) or {}
        before, after = stack.get("_template") or {}, change_set["_template"]
        if any(part(before) != part(after) for part in (outputs, imports)):
            change_set.update(Status="CREATE_COMPLETE", ExecutionStatus="AVAILABLE", StatusReason="")
        return answer

    handlers._ACTION_HANDLERS["CreateChangeSet"] = create


def correct_imports_of_bucket_policies():
    """Imports the policy of a bucket, which the engine makes and does not take in.

    AWS does; see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-import-supported-resources.html.
    """
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS["AWS::S3::BucketPolicy"]
    handlers.setdefault("import", lambda identifier: ("%s-policy" % identifier["Bucket"], {}))


def correct_names_of_what_was_imported():
    """Keeps the name of what was imported under another logical id than the one that it was made under.

    The engine makes up the name of a resource anew at each update, from the logical id, and replaces what has another one.
    AWS makes a name up once, and an import keeps the physical id; see
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html.
    """
    from ministack.services.cloudformation import provisioners

    def keep_name(resource_type, name, name_of, replaced_by):
        handler = provisioners._RESOURCE_HANDLERS[resource_type]
        update_uncorrected = handler["update"]

        def update(physical_id, before, after, *rest):
            is_replaced = any(before.get(key) != after.get(key) for key in (name, *replaced_by))
            if name not in after and not is_replaced:
                own = {name: name_of(physical_id)}
                before, after = {**before, **own}, {**after, **own}
            return update_uncorrected(physical_id, before, after, *rest)

        handler["update"] = update

    keep_name("AWS::DynamoDB::Table", "TableName", str, ("KeySchema", "LocalSecondaryIndexes"))
    keep_name("AWS::SQS::Queue", "QueueName", lambda url: url.rsplit("/", 1)[-1], ("FifoQueue",))
