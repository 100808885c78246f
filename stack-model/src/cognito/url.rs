//! Where a browser is sent back to.

/// Returns what is wrong with an address that a browser is sent back to, if anything; see
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html>, under
/// `CallbackURLs`.
pub(super) fn violation(url: &str) -> Option<String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Some(format!(
            "`{url}` is not absolute: it starts with a scheme, such as `https://`"
        ));
    };
    if url.contains('#') {
        return Some(format!("`{url}` has a fragment, and Cognito takes none"));
    }
    let host = rest.split(['/', '?', ':']).next().unwrap_or_default();
    if scheme == "http" && !matches!(host, "localhost" | "127.0.0.1") && !rest.starts_with("[::1]")
    {
        return Some(format!(
            "`{url}` would send codes and tokens over the network in clear: use `https://`, and `http://` for localhost only"
        ));
    }
    (host.is_empty() && matches!(scheme, "http" | "https"))
        .then(|| format!("`{url}` names no host"))
}

#[cfg(test)]
mod tests {
    use super::violation;

    #[test]
    fn browsers_are_sent_back_over_tls_or_to_an_app() {
        for right in [
            "https://example.com/signed-in",
            "http://localhost:3000",
            "http://127.0.0.1:3000/back",
            "http://[::1]:3000/back",
            "orders://signed-in",
        ] {
            assert_eq!(violation(right), None, "{right}");
        }
        for (wrong, part) in [
            ("/signed-in", "not absolute"),
            ("https://example.com/#top", "fragment"),
            ("http://example.com", "in clear"),
            ("http://localhost.example.com", "in clear"),
            ("https://", "no host"),
        ] {
            let message = violation(wrong).unwrap_or_default();
            assert!(message.contains(part), "{wrong}: {message}");
        }
    }
}
