//! What a user pool of Cognito asks while users sign up and sign in, and the answers.
//!
//! A stack lets a pool ask a function with `stack.trigger(&function, pool.pre_sign_up())`, and the function declares
//! the same event. Cognito wants the event back with the answer in it, so an answer is made of the event that it answers:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use stack_bindings::Bindings;
//! use stack_bindings::user_pool::{PoolAnswer, PreSignUp, SignUpAnswer};
//!
//! #[derive(Bindings)]
//! #[function(binary = "users-admit", accepts(PreSignUp))]
//! pub struct Admit {}
//!
//! #[derive(Debug, thiserror::Error)]
//! #[error("only people of example.com may sign up")]
//! pub struct Stranger;
//!
//! async fn handle(_: &Admit, event: PreSignUp) -> Result<PoolAnswer, Stranger> {
//!     let email = event.request.user_attributes.get("email");
//!     if !email.is_some_and(|email| email.ends_with("@example.com")) {
//!         return Err(Stranger);
//!     }
//!     Ok(event.answer(SignUpAnswer::default()))
//! }
//!
//! fn main() -> ExitCode {
//!     stack_bindings::run(handle)
//! }
//! ```
//!
//! Where the handler fails, what the user did fails, and the application sees the text of the error. A function has five
//! seconds, whatever its timeout says, and Cognito asks three times where it gets no answer; see
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>.
//!
//! An event holds what users tell nobody else, so its `Debug` shows neither attributes nor passwords.

mod authentication;
mod challenge;
mod event;
mod message;
mod migration;
mod sign_up;
mod token;

pub use authentication::{
    PostAuthentication, PostAuthenticationRequest, PostAuthenticationSource, PreAuthentication,
    PreAuthenticationRequest, PreAuthenticationSource,
};
pub use challenge::{
    AnsweredChallenge, CreateAuthChallenge, CreateAuthChallengeRequest, CreateAuthChallengeSource,
    DefineAuthChallenge, DefineAuthChallengeRequest, DefineAuthChallengeSource, NewChallenge,
    NextStep, VerifyAuthChallengeResponse, VerifyAuthChallengeResponseRequest,
    VerifyAuthChallengeResponseSource,
};
pub use event::{PoolAnswer, PoolContext};
pub use message::{
    CustomMessage, CustomMessageRequest, CustomMessageSource, EmailText, MessageTexts,
};
pub use migration::{
    Medium, MigratedStatus, MigratedUser, Password, UserMigration, UserMigrationRequest,
    UserMigrationSource,
};
pub use sign_up::{
    PostConfirmation, PostConfirmationRequest, PostConfirmationSource, PreSignUp, PreSignUpRequest,
    PreSignUpSource, SignUpAnswer,
};
pub use token::{
    AccessTokenChanges, Groups, IdTokenChanges, PreIdTokenGeneration, PreIdTokenGenerationRequest,
    PreIdTokenGenerationSource, PreTokenGeneration, PreTokenGenerationRequest,
    PreTokenGenerationSource, TokenChanges,
};
