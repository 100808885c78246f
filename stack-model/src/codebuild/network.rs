//! Builds in a network of the customer's own.

use stack_model_cfn::codebuild::project as cfn;
use stack_model_cfn::{Pseudo, Value, list};

use super::{Wrong, wrong};
use crate::policy::Statement;
use crate::text;

/// The network of the customer's own that builds run in. They reach AWS and the internet only by way of the network's
/// endpoints and gateways.
///
/// See <https://docs.aws.amazon.com/codebuild/latest/userguide/vpc-support.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct BuildNetwork {
    /// The network.
    pub vpc: Value<String>,
    /// The subnets, 1 to 16, which must be private ones.
    pub subnets: Vec<Value<String>>,
    /// The security groups, 1 to 5, which say what builds may connect to.
    pub security_groups: Vec<Value<String>>,
}

impl BuildNetwork {
    pub(super) fn render(self) -> cfn::VpcConfig {
        cfn::VpcConfig {
            security_group_ids: list(self.security_groups),
            subnets: list(self.subnets),
            vpc_id: self.vpc.into(),
        }
    }

    pub(super) fn violations(&self) -> Vec<Wrong> {
        let mut found = Vec::new();
        if self.subnets.is_empty() || self.subnets.len() > 16 {
            let message = "builds in a network need 1 to 16 subnets";
            found.push(wrong("VpcConfig.Subnets", message));
        }
        if self.security_groups.is_empty() || self.security_groups.len() > 5 {
            let message = "builds in a network need 1 to 5 security groups";
            found.push(wrong("VpcConfig.SecurityGroupIds", message));
        }
        found
    }

    /// See
    /// <https://docs.aws.amazon.com/codebuild/latest/userguide/auth-and-access-control-iam-identity-based-access-control.html>.
    pub(super) fn statements() -> Vec<Statement> {
        let interfaces = text!(
            "arn:{}:ec2:{}:{}:network-interface/*",
            Pseudo::Partition,
            Pseudo::Region,
            Pseudo::AccountId
        );
        let permission = Statement::allow(["ec2:CreateNetworkInterfacePermission"])
            .on(interfaces)
            .when(
                "StringEquals",
                "ec2:AuthorizedService",
                "codebuild.amazonaws.com",
            )
            .because("CodeBuild makes the network interface of each build itself");
        let interfaces = Statement::allow([
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeDhcpOptions",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
        ])
        .on_everything("CodeBuild makes the network interface of each build itself");
        vec![interfaces, permission]
    }
}
