//! Functions that a user pool asks while users sign up and sign in.

use std::marker::PhantomData;
use std::panic::Location;

use stack_model_cfn::{Expr, Value};

use super::UserPoolRef;
use crate::contract::{Accepts, event};
use crate::error::Violation;
use crate::handle::{Handle, ResourceRef};
use crate::lambda::{FunctionRef, PermissionProps, Trigger};
use crate::stack::{Stack, StackData};
use crate::synth::Rendered;

/// The principal that user pools invoke functions as.
const SERVICE: &str = "cognito-idp.amazonaws.com";

/// Where the functions of a user pool stand.
pub(crate) const FUNCTIONS: &str = "Properties.LambdaConfig";

/// Where the function stands that changes tokens, with the version of what it is sent.
const TOKENS: &str = "PreTokenGenerationConfig";

/// A moment at which a user pool asks a function with events of the kind `E`: what
/// [`Stack::trigger`](crate::Stack::trigger) takes.
///
/// The pool waits for the function. A function that has to know the pool finds its id in the event, and what it may do
/// with the pool stands in a policy of its own, which [`Stack::policy`](crate::Stack::policy) adds.
///
/// See <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>.
#[derive(Clone, Debug)]
pub struct UserPoolTrigger<E> {
    pool: UserPoolRef,
    property: &'static str,
    /// The version of what is sent, where the pool has to be told.
    version: Option<&'static str>,
    event: PhantomData<fn() -> E>,
}

impl<E> UserPoolTrigger<E> {
    fn new(pool: &UserPoolRef, property: &'static str) -> Self {
        Self {
            pool: pool.clone(),
            property,
            version: None,
            event: PhantomData,
        }
    }

    fn tokens(pool: &UserPoolRef, version: &'static str) -> Self {
        Self {
            version: Some(version),
            ..Self::new(pool, TOKENS)
        }
    }
}

impl UserPoolTrigger<event::PreTokenGeneration> {
    /// Asks also before applications get tokens for themselves, with `client_credentials`.
    #[must_use]
    pub fn machines(mut self) -> Self {
        self.version = Some("V3_0");
        self
    }
}

impl UserPoolRef {
    /// Asks whether somebody may sign up, and whether the account is confirmed at once.
    pub fn pre_sign_up(&self) -> UserPoolTrigger<event::PreSignUp> {
        UserPoolTrigger::new(self, "PreSignUp")
    }

    /// Tells that a user has confirmed an account, or a new password.
    pub fn post_confirmation(&self) -> UserPoolTrigger<event::PostConfirmation> {
        UserPoolTrigger::new(self, "PostConfirmation")
    }

    /// Asks whether a user may sign in, before the password is checked.
    pub fn pre_authentication(&self) -> UserPoolTrigger<event::PreAuthentication> {
        UserPoolTrigger::new(self, "PreAuthentication")
    }

    /// Tells that a user has signed in.
    pub fn post_authentication(&self) -> UserPoolTrigger<event::PostAuthentication> {
        UserPoolTrigger::new(self, "PostAuthentication")
    }

    /// Asks what the identity and access tokens of a user hold. Not with [`Plan::Lite`](super::Plan::Lite).
    pub fn pre_token_generation(&self) -> UserPoolTrigger<event::PreTokenGeneration> {
        UserPoolTrigger::tokens(self, "V2_0")
    }

    /// Asks what the identity token of a user holds, with any plan.
    pub fn pre_id_token_generation(&self) -> UserPoolTrigger<event::PreIdTokenGeneration> {
        UserPoolTrigger::tokens(self, "V1_0")
    }

    /// Asks for the text of a message before it is sent.
    pub fn custom_message(&self) -> UserPoolTrigger<event::CustomMessage> {
        UserPoolTrigger::new(self, "CustomMessage")
    }

    /// Asks what comes next in a sign-in by challenges of functions:
    /// [`AuthFlow::Custom`](super::AuthFlow::Custom).
    pub fn define_auth_challenge(&self) -> UserPoolTrigger<event::DefineAuthChallenge> {
        UserPoolTrigger::new(self, "DefineAuthChallenge")
    }

    /// Asks for a challenge, once it is defined that there is one.
    pub fn create_auth_challenge(&self) -> UserPoolTrigger<event::CreateAuthChallenge> {
        UserPoolTrigger::new(self, "CreateAuthChallenge")
    }

    /// Asks whether a challenge was answered rightly.
    pub fn verify_auth_challenge_response(
        &self,
    ) -> UserPoolTrigger<event::VerifyAuthChallengeResponse> {
        UserPoolTrigger::new(self, "VerifyAuthChallengeResponse")
    }

    /// Asks for a user whom the pool does not know, with the password that was given: the client has to send it, as
    /// [`AuthFlow::UserPassword`](super::AuthFlow::UserPassword) does.
    pub fn user_migration(&self) -> UserPoolTrigger<event::UserMigration> {
        UserPoolTrigger::new(self, "UserMigration")
    }
}

impl<F: Accepts<E>, E> Trigger<F> for UserPoolTrigger<E> {
    /// Adds the function to the pool, and the permission `<Function><Pool>Permission`, which all triggers of one pool
    /// for one function share. The pool belongs to this stack; the function may belong to one that is deployed before.
    fn attach(
        self,
        stack: &mut Stack<'_>,
        function: &FunctionRef<F>,
        source: &'static Location<'static>,
    ) -> ResourceRef {
        let pool = self.pool.resource_id();
        let (name, here) = (pool.logical_id().to_owned(), *pool.stack() == *stack.id());
        let id = format!("{}{name}Permission", function.resource_id().logical_id());
        let permission = if stack.is_permission(&id) {
            stack.resource_ref(&id)
        } else {
            let props = PermissionProps::service(SERVICE, self.pool.arn().into_text());
            stack.permission_from(&id, function, props, source)
        };
        let path = format!("{FUNCTIONS}.{}", self.property);
        if here
            && self.version.is_some_and(|version| version != "V1_0")
            && stack.is_lite(&self.pool)
        {
            let message = "the plan `Lite` does not change access tokens: choose another, or let the function change the identity token with `pre_id_token_generation`";
            stack.report(&name, Some(&path), message, source);
        }
        let arn: Value<String> = function.arn().into_text();
        let mut taken = false;
        stack.change_at(&self.pool, source, |pool| {
            let Expr::Map(properties) = &mut pool.properties else {
                return;
            };
            let functions = properties
                .entry("LambdaConfig".to_owned())
                .or_insert_with(|| Expr::map::<&str>([]));
            if let Expr::Map(functions) = functions {
                let function = match self.version {
                    Some(version) => Expr::map([
                        ("LambdaArn", Expr::from(arn)),
                        ("LambdaVersion", version.into()),
                    ]),
                    None => arn.into(),
                };
                taken = functions
                    .insert(self.property.to_owned(), function)
                    .is_some();
            }
        });
        if taken {
            let message =
                "the pool asks one function at this moment, and there is another one already";
            stack.report(&name, Some(&path), message, source);
        }
        permission
    }
}

impl Stack<'_> {
    fn is_lite(&self, pool: &UserPoolRef) -> bool {
        let properties = self
            .resource_of(pool.resource_id())
            .map(|resource| &resource.properties);
        matches!(properties, Some(Expr::Map(properties))
            if properties.get("UserPoolTier").and_then(Expr::as_str) == Some("LITE"))
    }
}

/// Reports challenges that nobody makes, or whose answers nobody checks; see
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-challenge.html>.
pub(crate) fn check(stack: &StackData, rendered: &Rendered, violations: &mut Vec<Violation>) {
    for (id, resource) in &stack.resources {
        let Some(Expr::Map(properties)) = rendered.get(&stack.id, id) else {
            continue;
        };
        let functions = match properties.get("LambdaConfig") {
            Some(Expr::Map(functions)) if resource.kind == "AWS::Cognito::UserPool" => functions,
            _ => continue,
        };
        let has = |name: &str| functions.contains_key(name);
        let (makes, verifies) = (
            has("CreateAuthChallenge"),
            has("VerifyAuthChallengeResponse"),
        );
        let missing = match (has("DefineAuthChallenge"), makes, verifies) {
            (false, true, _) | (false, _, true) => {
                "says which challenge comes next (`define_auth_challenge`)"
            }
            (_, true, false) => "checks the answers (`verify_auth_challenge_response`)",
            (_, false, true) => "makes the challenges (`create_auth_challenge`)",
            _ => continue,
        };
        violations.push(
            Violation::new(format!(
                "a sign-in by challenges of functions needs one that {missing}"
            ))
            .in_stack(&*stack.id)
            .of(id)
            .at(FUNCTIONS)
            .declared(&resource.source),
        );
    }
}

/// Says how a function that a user pool invokes gets along without naming the pool.
pub(crate) fn remedy(pool: &str) -> String {
    format!(
        "; a function that the user pool `{pool}` asks finds the pool's id in its events, and a grant on the pool stands in a policy of its own, which `stack.policy(.., function.role(), ..)` adds"
    )
}
