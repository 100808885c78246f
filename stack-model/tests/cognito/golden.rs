//! The identities of systems, as whole templates.

use stack_model::cognito::{
    Attribute, AttributeMapping, BrowserSignIn, EmailMessage, GroupProps, Identity,
    IdentityPoolProps, IdentityPoolRef, IdentityProvider, IdentityProviderProps, IdentityRoles,
    ManagedLogin, OAuth, OpenIdProvider, PasswordPolicy, ProviderSecret, SamlMetadata,
    SamlProvider, SignUp, StandardAttribute, UserPoolClientProps, UserPoolDomain,
    UserPoolOperation, UserPoolProps, Verification,
};
use stack_model::contract::{Accepts, FunctionContract, Wired, event};
use stack_model::iam::RoleProps;
use stack_model::iot::{clients, topics};
use stack_model::lambda::FunctionProps;
use stack_model::policy::{PolicyVariable, Statement};
use stack_model::s3::BucketProps;
use stack_model::secretsmanager::SecretRef;
use stack_model::{Arn, Stack, text};

use crate::golden::compare;
use crate::support::{dev, prod};

/// What every identity of the coffee shop may do, signed in or not.
fn follow(identities: &IdentityPoolRef) -> Vec<Statement> {
    vec![
        Statement::allow(["cognito-sync:*"])
            .on(identities.sync_arn())
            .because("identities keep data sets of their own"),
        Statement::allow(["iot:Connect"])
            .on(clients("serverlesspresso-*"))
            .because("every display and customer is a client"),
        Statement::allow(["iot:Subscribe"]).on_everything("displays choose their topics"),
        Statement::allow(["iot:Receive"])
            .on(topics("*"))
            .because("displays choose their topics"),
    ]
}

/// Customers and displays of a coffee shop, some of whom do not sign in.
fn coffee(stack: &mut Stack<'_>) {
    let users = stack.user_pool(
        "UserPool",
        UserPoolProps {
            name: Some("ServerlesspressoUserPool".into()),
            attributes: vec![
                Attribute::standard(StandardAttribute::Email)
                    .required()
                    .immutable(),
            ],
            verification: Verification::Code {
                email: EmailMessage::new(
                    "Serverlesspresso workshop code",
                    "Here is your code: {####}",
                ),
                sms: None,
            },
            sign_up: SignUp::Anyone,
            password: PasswordPolicy::at_least(6),
            ..UserPoolProps::default()
        },
    );
    let web = stack.user_pool_client("UserPoolClient", &users, UserPoolClientProps::default());
    stack.user_pool_group("AdminGroup", &users, "admin", GroupProps::default());
    let identities = stack.identity_pool(
        "IdentityPool",
        IdentityPoolProps {
            name: Some("ServerlesspressoIdentityPool".into()),
            clients: vec![web.clone()],
            unauthenticated: true,
            ..IdentityPoolProps::default()
        },
    );
    let mut role = |id: &str, identity| {
        let props = RoleProps {
            statements: follow(&identities),
            ..identities.role_of(identity)
        };
        stack.role(id, props)
    };
    let signed_in = role("AuthenticatedRole", Identity::Authenticated);
    let others = role("UnauthenticatedRole", Identity::Unauthenticated);
    stack.identity_pool_roles(
        "IdentityPoolRoles",
        &identities,
        IdentityRoles {
            unauthenticated: Some(others.arn()),
            ..IdentityRoles::of(&signed_in)
        },
    );
    stack.output("UserPoolID", users.id());
    stack.output("UserPoolClient", web.id());
}

/// People who keep photos under their own identity.
fn photos(stack: &mut Stack<'_>) {
    let users = stack.user_pool("Users", UserPoolProps::default());
    let web = stack.user_pool_client("Web", &users, UserPoolClientProps::default());
    let identities = stack.identity_pool(
        "Identities",
        IdentityPoolProps {
            clients: vec![web],
            ..IdentityPoolProps::default()
        },
    );
    let photos = stack.bucket("Photos", BucketProps::default());
    let own = text!(
        "{}/private/{}/*",
        photos.arn(),
        PolicyVariable::CognitoIdentity
    );
    let signed_in = stack.role(
        "SignedIn",
        RoleProps {
            statements: vec![
                Statement::allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"])
                    .on(own)
                    .because("every identity has photos of its own"),
            ],
            ..identities.role_of(Identity::Authenticated)
        },
    );
    stack.identity_pool_roles("Roles", &identities, IdentityRoles::of(&signed_in));
}

/// What a pool asks while people sign up with an account of their own or of their company.
#[derive(Debug)]
struct Join;

impl FunctionContract for Join {
    const PACKAGE: &'static str = "photos";
    const BINARY: &'static str = "photos-join";
}

impl Accepts<event::PreSignUp> for Join {}
impl Accepts<event::PostConfirmation> for Join {}
impl Accepts<event::PreTokenGeneration> for Join {}

/// People of companies that have accounts of their own.
fn companies(stack: &mut Stack<'_>) {
    let users = stack.user_pool(
        "Users",
        UserPoolProps {
            attributes: vec![
                Attribute::standard(StandardAttribute::Email).required(),
                Attribute::text("tenant", 1, 36),
            ],
            sign_up: SignUp::Anyone,
            ..UserPoolProps::default()
        },
    );
    let prefix = UserPoolDomain::Prefix("photos-companies".into());
    stack.user_pool_domain("Pages", &users, prefix, ManagedLogin::Classic);
    let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:providers-AbCdEf";
    let secrets = SecretRef::<String>::existing(Arn::parse(arn).unwrap());
    let mapped = || IdentityProviderProps {
        mapping: AttributeMapping::default()
            .standard(StandardAttribute::Email, "email")
            .custom("tenant", "tid"),
        ..IdentityProviderProps::default()
    };
    let openid = OpenIdProvider {
        client_secret: Some(ProviderSecret::field(&secrets, "example")),
        scopes: vec!["openid".to_owned(), "email".to_owned()],
        ..OpenIdProvider::new("Example", "https://auth.example.com", "1example")
    };
    let openid = IdentityProvider::OpenId(openid);
    let openid = stack.identity_provider("Example", &users, openid, mapped());
    let metadata = SamlMetadata::Url("https://saml.example.com/metadata".into());
    let saml = IdentityProvider::Saml(SamlProvider::new("Staff", metadata));
    let saml = stack.identity_provider("Staff", &users, saml, mapped());
    stack.user_pool_client(
        "Web",
        &users,
        UserPoolClientProps {
            oauth: Some(OAuth::Browser(BrowserSignIn {
                providers: vec![(&openid).into(), (&saml).into()],
                ..BrowserSignIn::to("https://photos.example.com")
            })),
            write_attributes: vec!["email".to_owned(), "custom:tenant".to_owned()],
            ..UserPoolClientProps::default()
        },
    );
    let props = FunctionProps::default();
    let join = stack.function::<Join>("Join", Wired::new(Vec::new()), props);
    stack.trigger(&join, users.pre_sign_up());
    stack.trigger(&join, users.post_confirmation());
    stack.trigger(&join, users.pre_token_generation());
    let group = users.statements(&[UserPoolOperation::AdminAddUserToGroup]);
    stack.policy("JoinUsers", join.role(), group);
}

#[test]
fn identities_of_companies() {
    compare("identities-companies.dev", dev(), companies);
}

#[test]
fn identities_of_a_coffee_shop() {
    compare("identities-coffee.dev", dev(), coffee);
}

#[test]
fn identities_with_photos() {
    compare("identities-photos.prod", prod(), photos);
}
