//! Names of topics, and which of them a filter or a publisher may have.

/// The most bytes of the name of a topic; see <https://docs.aws.amazon.com/general/latest/gr/iot-core.html>.
const MAX_BYTES: usize = 256;

/// The most `/` in the name of a topic.
const MAX_SLASHES: usize = 7;

/// Returns what is wrong with the name of a topic, if anything.
pub(super) fn topic(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("a topic has a name".to_owned());
    }
    if let Some(wildcard) = name.chars().find(|c| matches!(c, '+' | '#' | '*' | '?')) {
        return Some(format!(
            "`{name}` holds `{wildcard}`: a topic has no wildcard, and many topics are a `TopicFamilyRef`"
        ));
    }
    length(name)
}

/// Returns what is wrong with what names of topics start with, if anything.
pub(super) fn prefix(prefix: &str) -> Option<String> {
    if prefix.is_empty() {
        return Some("a family without a prefix would be every topic of the account".to_owned());
    }
    topic(prefix)
}

/// Returns what is wrong with a topic filter, if anything; see
/// <https://docs.aws.amazon.com/iot/latest/developerguide/topics.html#topicfilters>.
pub(super) fn filter(filter: &str) -> Option<String> {
    let levels: Vec<&str> = filter.split('/').collect();
    let strange = levels.iter().enumerate().find(|(position, level)| {
        let last = position + 1 == levels.len();
        match **level {
            "+" => false,
            "#" => !last,
            level => level.contains(['+', '#']),
        }
    });
    if let Some((_, level)) = strange {
        return Some(format!(
            "`{filter}` is no topic filter: in `{level}`, a wildcard stands beside something, or `#` before the end"
        ));
    }
    if filter.is_empty() {
        return Some("a topic filter names something".to_owned());
    }
    length(filter)
}

fn length(name: &str) -> Option<String> {
    // The first levels of a shared or basic-ingest topic do not count.
    let counted = if name.starts_with('$') {
        name.splitn(4, '/').nth(3).unwrap_or_default()
    } else {
        name
    };
    let (bytes, slashes) = (counted.len(), counted.matches('/').count());
    (bytes > MAX_BYTES || slashes > MAX_SLASHES).then(|| {
        format!(
            "`{name}` has {bytes} bytes and {slashes} `/`, and AWS IoT takes {MAX_BYTES} and {MAX_SLASHES}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{filter, prefix, topic};

    #[test]
    fn a_topic_has_no_wildcard() {
        assert_eq!(topic("shop/readings"), None);
        assert_eq!(topic("$aws/rules/keep/shop/readings"), None);
        for (wrong, part) in [
            ("", "has a name"),
            ("shop/+", "`+`"),
            ("shop/*", "`*`"),
            ("a/b/c/d/e/f/g/h/i", "8 `/`"),
        ] {
            let message = topic(wrong).unwrap_or_default();
            assert!(message.contains(part), "{wrong}: {message}");
        }
        assert!(topic(&"a".repeat(257)).is_some());
        assert!(prefix("").is_some_and(|message| message.contains("every topic")));
    }

    #[test]
    fn wildcards_of_a_filter_stand_alone() {
        for right in [
            "shop/+/readings",
            "shop/#",
            "#",
            "$aws/things/+/shadow/update",
        ] {
            assert_eq!(filter(right), None, "{right}");
        }
        for wrong in ["", "shop/readings+", "shop/#/readings", "shop#"] {
            assert!(filter(wrong).is_some(), "{wrong}");
        }
    }
}
