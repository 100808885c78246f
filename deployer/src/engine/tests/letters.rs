//! Letters that are not ASCII, which CloudFormation holds as they were sent and `GetTemplate` answers as question marks
//! (<https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1220>).

use serde_json::Value;

use super::{
    answers::{self, ADD_ORDERS, STACK_ID, Stack},
    script::{Answer, STACK, Script, names, one, stack},
};
use crate::engine::{Deployment, Outcome, deploy};

const TEMPLATE: &str = r#"{"Resources": {"Orders": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "Größe \ud83d\ude80"}}}}"#;

fn deployment() -> Deployment {
    let mut stack = stack(STACK, &[]);
    stack.template = TEMPLATE.to_owned();
    one(stack)
}

#[tokio::test]
async fn a_template_is_sent_in_ascii() {
    let played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|input| {
            let body = input.template_body().unwrap_or_default();
            let [sent, wanted] = [body, TEMPLATE].map(serde_json::from_str::<Value>);
            body.is_ascii() && sent.ok() == wanted.ok()
        })
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .execute()
        .events(&[("5", STACK, "CREATE_COMPLETE", "", "*")])
        .events(&[("5", STACK, "CREATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml())
        .play();
    let report = deploy(&played.context, deployment(), Answer::yes()).await;
    let report = report.expect("the stack is created");
    assert_eq!(report.stacks[0].outcome, Outcome::Created);
    played.finish();
}

/// What came back as question marks is the text that is wanted, and another text is not.
#[tokio::test]
async fn what_comes_back_as_question_marks_is_no_change() {
    let played = Script::new()
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .template(&TEMPLATE.replace("Größe \\ud83d\\ude80", "Gr??e ?"))
        .play();
    let report = deploy(&played.context, deployment(), Answer::never()).await;
    let report = report.expect("nothing has to be done");
    assert_eq!(report.stacks[0].outcome, Outcome::Unchanged);
    assert_eq!(
        names(&played.finish()),
        ["stack_started", "finished unchanged"]
    );
}
