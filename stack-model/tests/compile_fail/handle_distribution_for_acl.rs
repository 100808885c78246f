//! A distribution names its list itself; an association is for things in a region.

use stack_model::Stack;
use stack_model::cloudfront::DistributionRef;
use stack_model::wafv2::{Regional, WebAclRef};

fn protect(stack: &mut Stack<'_>, firewall: &WebAclRef<Regional>, site: &DistributionRef) {
    stack.protect("FirewallOfSite", firewall, site);
}

fn main() {}
