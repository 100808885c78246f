//! What an update does beyond its plan.

use super::*;

/// Returns what is said of a change that updates something in place, with the dangers and whether a kept plan covers it.
fn updated(known: &[ResourceChange], change: Change, create: bool) -> Vec<(String, Grade, bool)> {
    let found = surprises(&plan_of(known), &set_of(vec![change], create)).into_iter();
    found
        .map(|it| {
            let text = it.to_string();
            let word = text.split_once(") ").map(|(_, word)| word.to_owned());
            assert_eq!(it.dangerous, Grade::DANGERS.contains(&it.grade), "{text}");
            (word.unwrap_or_default(), it.grade, it.beyond)
        })
        .collect()
}

/// A macro, or a parameter that is looked up when the change set is made.
#[test]
fn what_lets_in_somebody_else_and_that_nobody_planned_is_dangerous() {
    let told = |word: &str, grade, beyond| vec![(word.to_owned(), grade, beyond)];
    let calm = |beyond| told(UPDATED, Grade::UpdateInPlace, beyond);
    let policy = |own: &[&str]| modified("AWS::S3::BucketPolicy", own);
    let (widened, exposed) = (Grade::PermissionWidened, Grade::ExposureWidened);
    assert_eq!(
        updated(&[], policy(&["PolicyDocument"]), false),
        told(LETS_MORE, widened, true)
    );
    let group = modified("AWS::EC2::SecurityGroup", &["SecurityGroupIngress"]);
    assert_eq!(updated(&[], group, false), told(LETS_MORE, exposed, true));
    // Not even the names of the properties are told.
    assert_eq!(
        updated(&[], policy(&[]), false),
        told(LETS_MORE, widened, true)
    );
    let queue = modified("AWS::SQS::Queue", &["DelaySeconds"]);
    assert_eq!(updated(&[], queue, false), calm(true));
    // All of a new stack is new; tags let nobody in; what follows another one is judged there.
    assert_eq!(updated(&[], policy(&["PolicyDocument"]), true), calm(false));
    let mut tagged = policy(&[]);
    tagged.scope = vec!["Tags".to_owned()];
    assert_eq!(updated(&[], tagged, false), calm(false));
    let mut follows = policy(&[]);
    follows.follows = vec!["Other".to_owned()];
    assert_eq!(updated(&[], follows, false), calm(false));
}

/// Every update of a stack lists the stacks in it, whatever becomes of them: that is no danger of this update.
#[test]
fn a_stack_in_a_stack_that_nobody_changed_is_told_calmly() {
    let mut nested = modified("AWS::CloudFormation::Stack", &[]);
    let unnamed = updated(&[], nested.clone(), false);
    let opens = (LETS_MORE.to_owned(), Grade::ExposureWidened, true);
    assert_eq!(unnamed, [opens]);
    nested.is_automatic = true;
    let calm = |word: &str| vec![(word.to_owned(), Grade::UpdateInPlace, false)];
    assert_eq!(updated(&[], nested.clone(), false), calm(LISTED));
    // What is planned of it is judged there.
    let mut known = planned("It", Action::Update, Grade::UpdateInPlace);
    known.resource_type.clone_from(&nested.resource_type);
    assert_eq!(updated(&[known], nested, false), []);
}

#[test]
fn what_an_update_does_beyond_its_plan_is_told() {
    let known = |path: plan::Path| ResourceChange {
        resource_type: "AWS::IAM::Role".to_owned(),
        properties: vec![plan::PropertyChange {
            path,
            before: None,
            after: None,
        }],
        ..planned("It", Action::Update, Grade::UpdateInPlace)
    };
    let described = known(plan::Path::new("Properties").key("Description"));
    let both = modified("AWS::IAM::Role", &["Description", "Policies"]);
    let found = updated(std::slice::from_ref(&described), both, false);
    assert_eq!(
        found,
        [(LETS_MORE.to_owned(), Grade::PermissionWidened, true)]
    );
    let one = modified("AWS::IAM::Role", &["Description"]);
    assert_eq!(updated(&[described], one, false), []);
    let planned = known(plan::Path::new("Properties").key("Policies").key("x"));
    let one = modified("AWS::IAM::Role", &["Policies"]);
    assert_eq!(updated(&[planned], one, false), []);
}

/// `CloudFormation` compares texts, and calls whatever is written otherwise a modification.
#[test]
fn the_values_say_whether_anything_differs() {
    let document = |principal: &str, actions: &[&str]| {
        json!({"PolicyDocument": {"Statement": [
            {"Effect": "Allow", "Action": actions, "Principal": {"AWS": principal}, "Resource": "*"},
        ]}})
    };
    let of = |before: Value, after: Value| {
        let mut change = modified("AWS::S3::BucketPolicy", &["PolicyDocument"]);
        change.values = Some([before, after]);
        updated(&[], change, false)
    };
    let (get, put) = ("s3:GetObject", "s3:PutObject");
    let narrow = document("arn:aws:iam::123456789012:root", &[get, put]);
    let other_words = document("arn:aws:iam::123456789012:root", &[put, get]);
    let calm = |beyond| vec![(UPDATED.to_owned(), Grade::UpdateInPlace, beyond)];
    assert_eq!(of(narrow.clone(), other_words), calm(false));
    let fewer = document("arn:aws:iam::123456789012:root", &[get]);
    assert_eq!(of(narrow, fewer.clone()), calm(true));
    let wide = of(fewer, document("*", &[get]));
    let told = format!("{UPDATED}: opens: a policy allows everybody, without a condition");
    assert_eq!(
        wide,
        [
            (told.clone(), Grade::PermissionWidened, true),
            (told, Grade::ExposureWidened, true),
        ]
    );
    // What is hidden may be anything.
    let hidden = document("****", &[get, put]);
    assert_eq!(
        of(hidden.clone(), hidden),
        [(LETS_MORE.to_owned(), Grade::PermissionWidened, true)]
    );
}

/// Whom a policy is given to, and which calls a route takes, depends on what stays.
#[test]
fn what_becomes_another_is_judged_with_what_stays() {
    let of = |resource_type: &str, name: &str, before: Value, after: Value| {
        let mut change = modified(resource_type, &[name]);
        change.values = Some([before, after]);
        updated(&[], change, false)
    };
    let policy = |roles: &[&str]| {
        json!({"PolicyName": "p", "Roles": roles, "PolicyDocument": {"Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
        ]}})
    };
    let told = format!("{UPDATED}: allows more: all of it to auditor too");
    assert_eq!(
        of(
            "AWS::IAM::Policy",
            "Roles",
            policy(&["clerk"]),
            policy(&["auditor", "clerk"])
        ),
        [(told, Grade::PermissionWidened, true)]
    );
    let route = |key: &str| json!({"ApiId": "a", "RouteKey": key, "AuthorizationType": "JWT"});
    assert_eq!(
        of(
            "AWS::ApiGatewayV2::Route",
            "RouteKey",
            route("GET /a"),
            route("GET /b")
        ),
        [(UPDATED.to_owned(), Grade::UpdateInPlace, true)]
    );
}
