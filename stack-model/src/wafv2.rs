//! WAF: web access control lists and what they protect.
