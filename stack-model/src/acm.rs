//! Certificate Manager: certificates for domains.
