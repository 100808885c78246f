//! Prints a specification in the line format.

use std::fmt::{self, Write as _};

use super::{ESCAPES, HEADERS, Kind, Node, RULES, Shape, Text, TypeSpec};

impl fmt::Display for TypeSpec<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "type {}", self.name)?;
        f.write_str(if self.root.open { " open\n" } else { "\n" })?;
        for (header, words) in &self.lists {
            for (keyword, _) in HEADERS.iter().filter(|(_, h)| h == header) {
                f.write_str(keyword)?;
            }
            for word in words {
                f.write_char(' ')?;
                escape(f, word, "")?;
            }
            f.write_char('\n')?;
        }
        print_shape(f, &self.root)?;
        for shape in &self.shapes {
            write!(f, "shape {}", shape.name)?;
            f.write_str(if shape.open { " open\n" } else { "\n" })?;
            print_shape(f, shape)?;
        }
        Ok(())
    }
}

fn print_shape(f: &mut fmt::Formatter<'_>, shape: &Shape<'_>) -> fmt::Result {
    for group in &shape.groups {
        for (keyword, _) in RULES.iter().filter(|(_, rule)| *rule == group.rule) {
            f.write_str(keyword)?;
        }
        for set in &group.sets {
            for (index, name) in set.iter().enumerate() {
                f.write_char(if index == 0 { ' ' } else { '+' })?;
                escape(f, name, "+")?;
            }
        }
        f.write_char('\n')?;
    }
    for property in &shape.properties {
        f.write_str("  ")?;
        escape(f, &property.name, "!")?;
        f.write_str(if property.required { "! " } else { " " })?;
        print_node(f, &property.node)?;
        f.write_char('\n')?;
    }
    Ok(())
}

fn print_node(f: &mut fmt::Formatter<'_>, node: &Node<'_>) -> fmt::Result {
    match &node.kind {
        Kind::String => f.write_char('s')?,
        Kind::Integer => f.write_char('i')?,
        Kind::Number => f.write_char('n')?,
        Kind::Boolean => f.write_char('b')?,
        Kind::List(_) => f.write_char('[')?,
        Kind::Map(_) => f.write_char('{')?,
        Kind::Json(letters) => write!(f, "j{letters}")?,
        Kind::Shape(name) => write!(f, ":{name}")?,
    }
    let limits = &node.limits;
    print_words(f, "enum", &limits.values)?;
    if limits.ignore_case {
        f.write_str(" nocase")?;
    }
    for (name, bounds) in [("range", &limits.range), ("len", &limits.length)] {
        if let Some((least, greatest)) = bounds {
            write!(f, " {name}={least}..{greatest}")?;
        }
    }
    print_words(f, "keys", limits.keys.as_slice())?;
    print_words(f, "fmt", &limits.formats)?;
    if limits.unique {
        f.write_str(" unique")?;
    }
    if limits.unordered {
        f.write_str(" unordered")?;
    }
    print_words(f, "default", limits.default.as_slice())?;
    print_words(f, "pat", limits.pattern.as_slice())?;
    if let Kind::List(item) | Kind::Map(item) = &node.kind {
        f.write_str(" > ")?;
        print_node(f, item)?;
    }
    Ok(())
}

fn print_words(f: &mut fmt::Formatter<'_>, name: &str, words: &[Text<'_>]) -> fmt::Result {
    // Only enumerations and formats are lists; a single word keeps its bars, which patterns are full of.
    let also = if matches!(name, "enum" | "fmt") {
        "|"
    } else {
        ""
    };
    for (index, word) in words.iter().enumerate() {
        if index == 0 {
            write!(f, " {name}=")?;
        } else {
            f.write_char('|')?;
        }
        escape(f, word, also)?;
    }
    Ok(())
}

/// Writes a word so that no separator of its place is left in it; `also` names those beyond blanks.
fn escape(out: &mut impl fmt::Write, word: &str, also: &str) -> fmt::Result {
    for c in word.chars() {
        match ESCAPES.iter().find(|(plain, _)| *plain == c) {
            Some((plain, code))
                if *plain == '~' || plain.is_whitespace() || also.contains(*plain) =>
            {
                write!(out, "~{code}")?;
            }
            _ => out.write_char(c)?,
        }
    }
    Ok(())
}
