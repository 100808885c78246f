//! SDK clients whose answers are scripted.

/// Makes a client of an SDK crate that answers by the given rules in their order, without retries.
macro_rules! scripted {
    ($sdk:ident, [$($rule:expr),* $(,)?]) => {{
        let answers = aws_smithy_mocks::MockResponseInterceptor::new()
            .rule_mode(aws_smithy_mocks::RuleMode::Sequential)
            $(.with_rule($rule))*;
        let config = stack_bindings::sdk::$sdk::Config::builder()
            .behavior_version(stack_bindings::sdk::config::BehaviorVersion::v2026_01_12())
            .region(stack_bindings::sdk::$sdk::config::Region::new("eu-west-1"))
            .credentials_provider(stack_bindings::sdk::$sdk::config::Credentials::new(
                "AKIDEXAMPLE",
                "secret",
                None,
                None,
                "test",
            ))
            .retry_config(stack_bindings::sdk::$sdk::config::retry::RetryConfig::disabled())
            .http_client(aws_smithy_mocks::create_mock_http_client())
            .interceptor(answers)
            .build();
        stack_bindings::sdk::$sdk::Client::from_conf(config)
    }};
}

pub(crate) use scripted;
