//! A list for things in a region does not protect a distribution.

use stack_model::cloudfront::DistributionProps;
use stack_model::wafv2::{Regional, WebAclRef};

fn protect(props: &mut DistributionProps, firewall: &WebAclRef<Regional>) {
    props.web_acl = Some(firewall.clone());
}

fn main() {}
