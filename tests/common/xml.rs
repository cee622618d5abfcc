//! A strict reader of XML, enough for SVG and for pages written like XML: what it accepts is well-formed.
#![allow(dead_code)]

/// An element's start: name, and attributes with entities left as they are.
#[derive(Debug)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// All elements in order; panics where the text is not well-formed. `void` names elements without an end.
pub fn elements(text: &str, void: &[&str]) -> Vec<Element> {
    let mut open: Vec<String> = Vec::new();
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        characters(&rest[..start]);
        rest = &rest[start + 1..];
        if let Some(end) = rest.strip_prefix('/') {
            let (name, after) = end.split_once('>').expect("an end tag is closed");
            assert_eq!(open.pop().as_deref(), Some(name), "an end without its start");
            rest = after;
            continue;
        }
        if rest.starts_with("!DOCTYPE") {
            rest = rest.split_once('>').unwrap().1;
            continue;
        }
        let (element, closed, after) = tag(rest);
        rest = after;
        if element.name == "style" {
            let (style, after) = rest.split_once("</style>").expect("a style ends");
            assert!(!style.contains('<'));
            rest = after;
        } else if !closed && !void.contains(&element.name.as_str()) {
            open.push(element.name.clone());
        }
        found.push(element);
    }
    assert!(rest.trim().is_empty() && open.is_empty(), "left open: {open:?} {rest:?}");
    found
}

/// The element at the start of `text`, whether it ends itself, and what follows.
fn tag(text: &str) -> (Element, bool, &str) {
    let length = text.find(|c: char| c.is_whitespace() || c == '>' || c == '/').expect("a tag is closed");
    let (name, mut rest) = text.split_at(length);
    assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric()), "element {name:?}");
    let mut attributes: Vec<(String, String)> = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>") {
            return (Element { name: name.to_owned(), attributes }, true, after);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (Element { name: name.to_owned(), attributes }, false, after);
        }
        let (key, after) = rest.split_once("=\"").expect("an attribute has a quoted value");
        assert!(!key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "attribute {key:?}");
        assert!(attributes.iter().all(|(k, _)| k != key), "attribute {key} twice");
        let (value, after) = after.split_once('"').expect("a value ends");
        assert!(!value.contains('<'), "{value}");
        characters(value);
        attributes.push((key.to_owned(), value.to_owned()));
        rest = after;
    }
}

/// Every ampersand begins a known entity; no control characters.
fn characters(text: &str) {
    for part in text.split('&').skip(1) {
        let entity = part.split_once(';').map(|(name, _)| name);
        assert!(matches!(entity, Some("amp" | "lt" | "gt" | "quot" | "#39" | "nbsp")), "&{part}");
    }
    assert!(!text.contains(|c: char| c.is_control() && !"\t\n\r".contains(c)), "{text:?}");
}
