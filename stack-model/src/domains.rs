//! Domains of APIs: names, certificates and the records that point to them.
