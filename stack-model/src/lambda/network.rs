//! Functions in a network of the customer's own.

use stack_model_cfn::lambda::function as cfn;
use stack_model_cfn::{Value, list};

use crate::policy::Statement;

/// The network of the customer's own that a function runs in. It reaches AWS and the internet only by way of the
/// network's endpoints and gateways.
///
/// See <https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionNetwork {
    /// The subnets, 1 to 16, in two availability zones at least.
    pub subnets: Vec<Value<String>>,
    /// The security groups, 1 to 5, which say what the function may connect to.
    pub security_groups: Vec<Value<String>>,
}

impl FunctionNetwork {
    pub(super) fn render(self) -> cfn::VpcConfig {
        cfn::VpcConfig {
            security_group_ids: list(self.security_groups),
            subnet_ids: list(self.subnets),
            ..cfn::VpcConfig::default()
        }
    }

    /// Returns what is wrong with it.
    pub(super) fn violations(&self) -> Vec<&'static str> {
        let mut found = Vec::new();
        if self.subnets.is_empty() || self.subnets.len() > 16 {
            found.push("a function in a network needs 1 to 16 subnets");
        }
        if self.security_groups.is_empty() || self.security_groups.len() > 5 {
            found.push("a function in a network needs 1 to 5 security groups");
        }
        found
    }
}

/// What the role of a function in a network must allow. The interfaces do not exist yet when the role is made, so no
/// resource can be named; see <https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions>.
pub(super) fn statement() -> Statement {
    Statement::allow([
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ])
    .on_everything("Lambda makes the network interfaces of the function itself")
}
