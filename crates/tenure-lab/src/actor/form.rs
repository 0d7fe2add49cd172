//! The forms of a server-rendered page: enough of HTML to fill in a sign-in page.

use std::collections::BTreeMap;

/// One `<form>`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    /// Where to send it; empty means the page's own address.
    pub(crate) action: String,
    pub(super) inputs: Vec<Input>,
}

/// One `<input>` or `<button>` with a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) value: String,
    checked: bool,
}

impl Form {
    /// The page's form for a password, otherwise its first one.
    pub(crate) fn to_sign_in(html: &str) -> Option<Self> {
        let mut forms = Self::all(html);
        let index = forms
            .iter()
            .position(|form| form.has("password"))
            .unwrap_or(0);
        (index < forms.len()).then(|| forms.swap_remove(index))
    }

    /// All forms of a page.
    pub(super) fn all(html: &str) -> Vec<Self> {
        let mut forms: Vec<Self> = Vec::new();
        let mut inside = false;
        for (name, attributes) in tags(html) {
            let attribute = |key: &str| attributes.get(key).cloned().unwrap_or_default();
            match name.as_str() {
                "form" => {
                    inside = true;
                    forms.push(Self {
                        action: attribute("action"),
                        inputs: Vec::new(),
                    });
                }
                "/form" => inside = false,
                "input" | "button" if inside && attributes.contains_key("name") => {
                    let default = if name == "button" { "submit" } else { "text" };
                    let input = Input {
                        name: attribute("name"),
                        kind: attributes
                            .get("type")
                            .map_or(default, String::as_str)
                            .to_owned(),
                        value: attribute("value"),
                        checked: attributes.contains_key("checked"),
                    };
                    if let Some(form) = forms.last_mut() {
                        form.inputs.push(input);
                    }
                }
                _ => {}
            }
        }
        forms
    }

    pub(super) fn has(&self, kind: &str) -> bool {
        self.inputs.iter().any(|input| input.kind == kind)
    }

    /// The fields to send when a person types `email` and `password` into their fields and
    /// presses the button that agrees (the first one if no button says so).
    pub(crate) fn filled_in(&self, email: &str, password: &str) -> Vec<(String, String)> {
        let pressed = self.agreeing_button();
        self.inputs
            .iter()
            .filter_map(|input| {
                let value = match input.kind.as_str() {
                    "password" => password,
                    "email" | "text" => email,
                    "submit" if Some(input) != pressed => return None,
                    "checkbox" | "radio" if !input.checked => return None,
                    "reset" | "button" => return None,
                    _ => &input.value,
                };
                Some((input.name.clone(), value.to_owned()))
            })
            .collect()
    }

    fn agreeing_button(&self) -> Option<&Input> {
        let agrees = |input: &&Input| {
            ["allow", "approve", "accept", "consent", "yes"].contains(&input.value.as_str())
        };
        let buttons = || self.inputs.iter().filter(|input| input.kind == "submit");
        buttons().find(agrees).or_else(|| buttons().next())
    }
}

type Attributes = BTreeMap<String, String>;

/// Each tag's lower-case name (`/form` for an end) and its attributes.
fn tags(html: &str) -> Vec<(String, Attributes)> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let name_end = after
            .find(|c: char| c.is_whitespace() || c == '>')
            .unwrap_or(after.len());
        let (name, after) = after.split_at(name_end);
        let (attributes, after) = attributes(after);
        tags.push((name.trim_end_matches('/').to_ascii_lowercase(), attributes));
        rest = after;
    }
    tags
}

/// The attributes up to `>`, and what follows it.
fn attributes(mut rest: &str) -> (Attributes, &str) {
    let mut found = Attributes::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if let Some(after) = rest.strip_prefix('>') {
            return (found, after);
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || c == '=' || c == '>')
            .unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        if key.is_empty() && !after.starts_with('=') {
            return (found, after);
        }
        let (value, after) = match after.strip_prefix('=') {
            Some(after) => value(after),
            None => ("", after),
        };
        found.insert(key.to_ascii_lowercase(), unescape(value));
        rest = after;
    }
}

fn value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(text) = text.strip_prefix(quote) {
            return text.split_once(quote).unwrap_or((text, ""));
        }
    }
    let end = text
        .find(|c: char| c.is_whitespace() || c == '>')
        .unwrap_or(text.len());
    text.split_at(end)
}

/// Undoes the character references that template engines write into attributes.
fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let reference = after
            .split_once(';')
            .and_then(|(name, tail)| Some((character(name)?, tail)));
        if let Some((c, tail)) = reference {
            plain.push(c);
            rest = tail;
        } else {
            plain.push('&');
            rest = after;
        }
    }
    plain.push_str(rest);
    plain
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_page_is_read_and_filled_in() {
        let page = r#"<!doctype html><p>1 < 2</p>
            <form method="get" action="/search"><input name=q></form>
            <FORM method=post action="/sign-in?a=1&amp;b=&#34;2&#x22;">
              <input type="hidden" name="csrf" value="x&lt;y"><br/>
              <input type='email' name='user' required autofocus>
              <input type="password" name="secret"/>
              <input type="checkbox" name="remember" value="1"><input type=checkbox name=c value=2 checked>
              <button name="action" value="deny">No</button>
              <button type="submit" name="action" value="allow">Yes</button>
            </FORM><input name="outside">"#;
        let forms = Form::all(page);
        assert_eq!(forms.len(), 2);
        let form = &forms[1];
        assert!(form.has("password") && !forms[0].has("password"));
        assert_eq!(form.action, "/sign-in?a=1&b=\"2\"");
        let fields = form.filled_in("me@example.com", "pw");
        let expected = [
            ("csrf", "x<y"),
            ("user", "me@example.com"),
            ("secret", "pw"),
            ("c", "2"),
            ("action", "allow"),
        ];
        assert_eq!(fields, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn broken_markup_ends_the_reading() {
        assert_eq!(
            Form::all("<form action='/x"),
            [Form {
                action: "/x".to_owned(),
                inputs: vec![]
            }]
        );
        assert_eq!(Form::all("<"), []);
        assert_eq!(Form::all("<form =\"a\" =").len(), 1);
    }
}
