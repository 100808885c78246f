//! The ARN of a queue names no certificate.

use stack_model::Arn;
use stack_model::acm::CertificateRef;
use stack_model::sqs::Queue;

fn certificate(arn: Arn<Queue>) -> CertificateRef {
    CertificateRef::existing(arn)
}

fn main() {}
