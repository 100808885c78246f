//! Secrets stay out of what everybody who may look at a stack can read.

use serde_json::json;
use stack_model::secretsmanager::{SecretProps, SecretRef};
use stack_model::ssm::ParameterRef;
use stack_model::{Expr, Parameter, Stack, Token, Value, text};

use crate::support::{dev, template, violations};

const REFUSED: &str =
    "a secret would be readable here: name it instead, with its ARN, and read it at run time";

/// Every way to write the value of a secret.
fn secrets(stack: &mut Stack<'_>) -> Vec<Expr> {
    let secret: SecretRef<String> = stack.secret("Token", SecretProps::default());
    let secure = ParameterRef::<String>::existing_secure("/orders/token", None);
    let always = stack.condition("Always", stack_model::Condition::equals("a", "a"));
    let joined = Token::Join {
        delimiter: ",".to_owned(),
        list: Box::new(Expr::List(vec!["a".into(), secret.value().into()])),
    };
    vec![
        secret.value().into(),
        secret.field("password").into(),
        secure.value().into(),
        text!("Bearer {}", secret.value()).into(),
        always.choose::<String>(secret.value(), "none").into(),
        joined.into(),
        Token::Base64(Box::new(secret.value().into())).into(),
        "{{resolve:secretsmanager:db:SecretString:password}}".into(),
        "Bearer {{resolve:ssm-secure:/orders/token}}".into(),
        json!({"Fn::Sub": "{{resolve:secretsmanager:${Token}}}"}).into(),
    ]
}

/// Returns what is wrong where a secret, in each way to write it, stands at a place.
fn refused(place: fn(&mut Stack<'_>, Expr), path: &str) {
    let count = secrets(&mut dev().stack("orders")).len();
    for way in 0..count {
        let found = violations(dev(), |stack| {
            let secret = secrets(stack).remove(way);
            place(stack, secret);
        });
        assert!(
            found
                .iter()
                .any(|text| text.starts_with(path) && text.ends_with(REFUSED)),
            "way {way}: {found:?}"
        );
    }
}

#[test]
fn an_output_holds_no_secret() {
    refused(
        |stack, secret| {
            stack.output("Shown", secret);
        },
        "orders / Shown / Value",
    );
}

#[test]
fn metadata_holds_no_secret() {
    refused(
        |stack, secret| {
            let own = stack.raw("Own", "AWS::SNS::Topic", json!({}));
            stack.metadata(&own, "Shown", Expr::map([("Deep", secret)]));
        },
        "orders / Own / Metadata.Shown.Deep",
    );
}

#[test]
fn the_environment_of_a_function_holds_no_secret() {
    refused(
        |stack, secret| {
            let own = stack.raw("Own", "AWS::Lambda::Function", json!({}));
            stack.override_property(&own, "Environment.Variables.PW", secret);
        },
        "orders / Own / Properties.Environment.Variables.PW",
    );
}

#[test]
fn a_parameter_of_parameter_store_holds_no_secret() {
    refused(
        |stack, secret| {
            let own = stack.raw("Own", "AWS::SSM::Parameter", json!({"Type": "String"}));
            stack.override_property(&own, "Value", secret);
        },
        "orders / Own / Properties.Value",
    );
}

#[test]
fn descriptions_and_tags_hold_no_secret() {
    refused(
        |stack, secret| {
            let own = stack.raw("Own", "AWS::KMS::Key", json!({}));
            stack.override_property(&own, "Description", secret);
        },
        "orders / Own / Properties.Description",
    );
    let found = violations(dev(), |stack| {
        let secret = "{{resolve:secretsmanager:db}}";
        stack.raw("Own", "AWS::SNS::Topic", json!({}));
        stack.describe(secret);
        stack.output("Shown", "x").description(secret);
        stack.parameter("Given", Parameter::string().given(secret));
        stack.parameter("Default", Parameter::string().default(secret));
        let second = [("b".to_owned(), secret.to_owned())].into();
        stack.mapping("Looked", [("a".to_owned(), second)].into());
    });
    assert_eq!(
        found,
        [
            format!("orders / Shown / Description: {REFUSED}"),
            format!("orders / Default / Parameter.Default: {REFUSED}"),
            format!("orders / Given / Parameter.Value: {REFUSED}"),
            format!("orders / Looked / Mapping: {REFUSED}"),
            "orders: a secret would be readable in the description of the stack".to_owned(),
        ]
    );
}

#[test]
fn what_is_no_secret_is_free() {
    let found = violations(dev(), |stack| {
        let secret: SecretRef<String> = stack.secret("Token", SecretProps::default());
        let plain = ParameterRef::<String>::existing("/orders/size");
        stack.output("Arn", secret.arn());
        stack.output("Size", plain.value());
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_service_that_needs_a_secret_reads_it_while_it_is_deployed() {
    let template = template(dev(), |stack| {
        let secret: SecretRef<String> = stack.secret("Token", SecretProps::default());
        let database = stack.raw("Database", "AWS::RDS::DBInstance", json!({}));
        let password: Value<String> = secret.field("password");
        stack.override_property(&database, "MasterUserPassword", password);
    });
    assert_eq!(
        template["Resources"]["Database"]["Properties"]["MasterUserPassword"],
        json!({"Fn::Sub": "{{resolve:secretsmanager:${Token.Id}:SecretString:password}}"})
    );
}
