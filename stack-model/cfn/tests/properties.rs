//! What holds for any properties of any resource type.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use stack_model_cfn::facts::{resource_type, resource_types, validate};
use stack_model_cfn::{Expr, ResourceId, Token};

/// Any JSON whose keys are names that resource types use, now and then.
fn expr() -> impl Strategy<Value = Expr> {
    let names = [
        "Key", "Value", "Name", "Tags", "Rules", "Fn::If", "Fn::Sub", "Ref", "Policies", "Type",
        "x",
    ];
    let leaf = prop_oneof![
        Just(Expr::Null),
        any::<bool>().prop_map(Expr::from),
        any::<i64>().prop_map(Expr::from),
        any::<f64>().prop_filter_map("JSON has no infinity", |n| serde_json::Number::from_f64(n)
            .map(Expr::Number)),
        "\\PC{0,12}".prop_map(Expr::from),
        Just(Expr::Token(Token::Ref(ResourceId::new("app", "Thing")))),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Expr::List),
            btree_map(select(names.to_vec()).prop_map(str::to_owned), inner, 0..4)
                .prop_map(Expr::Map),
        ]
    })
}

/// A resource type and one value for each of some of its properties.
fn resource() -> impl Strategy<Value = (&'static str, Expr)> {
    select(resource_types().collect::<Vec<_>>()).prop_flat_map(|name| {
        let names: Vec<String> = resource_type(name)
            .into_iter()
            .flat_map(|facts| {
                facts
                    .properties()
                    .map(|property| property.name().to_owned())
            })
            .chain(["Unknown".to_owned()])
            .collect();
        (
            Just(name),
            btree_map(select(names), expr(), 0..6).prop_map(Expr::Map),
        )
    })
}

proptest! {
    #[test]
    fn findings_are_about_what_is_there((name, properties) in resource()) {
        let Expr::Map(entries) = &properties else {
            unreachable!("the strategy makes maps");
        };
        for finding in validate(name, &properties) {
            let first = finding.path.split('/').next().unwrap_or_default();
            prop_assert!(first.is_empty() || entries.contains_key(first), "{name}: {finding}");
            prop_assert!(!finding.message.is_empty());
        }
    }

    #[test]
    fn a_computed_value_is_never_wrong((name, properties) in resource()) {
        let Expr::Map(mut entries) = properties else {
            unreachable!("the strategy makes maps");
        };
        let token = Token::GetAtt(ResourceId::new("app", "Thing"), "Arn".into());
        for value in entries.values_mut() {
            *value = Expr::Token(token.clone());
        }
        entries.remove("Unknown");
        for finding in validate(name, &Expr::Map(entries)) {
            let about_presence = finding.path.is_empty() || finding.message == "only AWS sets this property";
            prop_assert!(about_presence, "{name}: {finding}");
        }
    }
}
