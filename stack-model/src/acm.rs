//! AWS Certificate Manager: certificates.

use stack_model_cfn::{ResourceId, Value};

use crate::arn::Arn;
use crate::handle::{Handle, elsewhere};

/// Marks the ARN of a certificate.
#[derive(Debug)]
pub enum Certificate {}

/// The handle of a certificate, which knows the region it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRef {
    id: ResourceId,
    arn: Value<Arn<Certificate>>,
    region: Option<String>,
}

impl CertificateRef {
    /// Stands for a certificate that somebody else keeps. Its region is read from a literal ARN.
    pub fn existing(arn: impl Into<Value<Arn<Certificate>>>) -> Self {
        let arn = arn.into();
        let region = arn.literal().map(Arn::as_str);
        let region = region.and_then(|arn| arn.split(':').nth(3));
        Self {
            id: elsewhere("Certificate"),
            region: region.map(str::to_owned),
            arn,
        }
    }

    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Certificate>> {
        self.arn.clone()
    }

    /// Returns the region, where it is known when the stack is rendered.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }
}

impl Handle for CertificateRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}
