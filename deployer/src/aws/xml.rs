//! XML answers, read into a tree.
//!
//! The services that are called without a client of the SDK answer in a few lines, of which a few elements are looked at:
//! names and texts. Attributes, comments and declarations are skipped.

/// An element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    /// Reads a document; nothing, where it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // The bottom is no element: it takes the one that the document is.
        let mut open = vec![Self::default()];
        let mut rest = text;
        while let Some((before, tag)) = rest.split_once('<') {
            if let Some(element) = open.last_mut() {
                element.text.push_str(&unescaped(before));
            }
            if let Some(comment) = tag.strip_prefix("!--") {
                rest = comment.split_once("-->")?.1;
                continue;
            }
            let (inside, after) = tag.split_once('>')?;
            rest = after;
            if inside.starts_with(['?', '!']) {
                continue;
            }
            if let Some(name) = inside.strip_prefix('/') {
                let closed = open.pop()?;
                if closed.name != name.trim() {
                    return None;
                }
                open.last_mut()?.children.push(closed);
                continue;
            }
            let (inside, is_empty) = match inside.strip_suffix('/') {
                Some(inside) => (inside, true),
                None => (inside, false),
            };
            let element = Self {
                name: inside.split_whitespace().next()?.to_owned(),
                ..Self::default()
            };
            if is_empty {
                open.last_mut()?.children.push(element);
            } else {
                open.push(element);
            }
        }
        let bottom = open.pop()?;
        if !open.is_empty() {
            return None;
        }
        bottom.children.into_iter().next()
    }

    /// Returns the first element under these names, each a child of the one before.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| {
            element.children.iter().find(|child| child.name == *name)
        })
    }

    /// Returns the text of the first element under these names.
    pub(crate) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path).map(Self::text)
    }

    /// Returns the children of the first element under these names.
    pub(crate) fn all(&self, path: &[&str]) -> &[Self] {
        self.at(path)
            .map_or(&[], |element| element.children.as_slice())
    }

    /// Returns the text, without the space around it.
    pub(crate) fn text(&self) -> &str {
        self.text.trim()
    }
}

/// Replaces the five entities that XML knows by itself (<https://www.w3.org/TR/xml/#sec-predefined-ent>).
fn unescaped(text: &str) -> String {
    // The ampersand comes last, so that what it stands before is not read again.
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (entity, character)| {
        text.replace(entity, character)
    })
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[test]
    fn elements_are_found_by_their_names() {
        let text = r#"<?xml version="1.0"?>
            <Answer xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><!-- <No/> -->
              <Result><None/><Members><member>a &amp;lt; b</member><member> c </member></Members></Result>
            </Answer>"#;
        let answer = Element::parse(text).expect("it is XML");
        let members = answer.all(&["Result", "Members"]);
        let members: Vec<&str> = members.iter().map(Element::text).collect();
        assert_eq!(members, ["a &lt; b", "c"]);
        assert_eq!(answer.text_at(&["Result", "None"]), Some(""));
        assert_eq!(answer.text_at(&["Result", "No"]), None);
    }

    #[test]
    fn what_is_no_document_is_nothing() {
        for text in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "</a>",
            "<a",
            "< >",
            "<!-- <a/>",
            "<a><b></a>",
        ] {
            assert_eq!(Element::parse(text), None, "{text}");
        }
    }
}
