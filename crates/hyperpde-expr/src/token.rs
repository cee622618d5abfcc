//! Characters to tokens, each with its place in the text.

use std::ops::Range;

use crate::error::ExpressionError;

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Name(String),
    Plus,
    Minus,
    Times,
    Divide,
    Power,
    Open,
    Close,
    Comma,
    Equals,
}

/// A token and the bytes it occupies.
pub(super) type Placed = (Token, Range<usize>);

/// Splits a text; blanks and line ends separate tokens and mean nothing else.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, ExpressionError> {
    let mut out: Vec<Placed> = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some(&(start, c)) = rest.peek() {
        let single = match c {
            '+' => Some(Token::Plus),
            '-' => Some(Token::Minus),
            '*' => Some(Token::Times),
            '/' => Some(Token::Divide),
            '^' => Some(Token::Power),
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            ',' => Some(Token::Comma),
            '=' => Some(Token::Equals),
            _ => None,
        };
        if let Some(token) = single {
            rest.next();
            if token == Token::Times && matches!(out.last(), Some((Token::Times, before)) if before.end == start) {
                return Err(ExpressionError::new(start - 1..start + 1, "'**' is no operator", "unknown operator")
                    .with_help("powers are written with '^'"));
            }
            out.push((token, start..start + c.len_utf8()));
        } else if c.is_whitespace() {
            rest.next();
        } else if c.is_ascii_digit() || c == '.' {
            let end = start + number_length(&text[start..]);
            let value = text[start..end].parse::<f64>().ok().filter(|v| v.is_finite());
            let value = value.ok_or_else(|| {
                let what = format!("'{}' is no finite number", &text[start..end]);
                ExpressionError::new(start..end, what, "not a number that can be computed with")
            })?;
            out.push((Token::Number(value), start..end));
            while rest.peek().is_some_and(|&(i, _)| i < end) {
                rest.next();
            }
        } else if c.is_alphabetic() || c == '_' {
            let mut end = start;
            while let Some(&(i, c)) = rest.peek().filter(|(_, c)| c.is_alphanumeric() || *c == '_') {
                end = i + c.len_utf8();
                rest.next();
            }
            out.push((Token::Name(text[start..end].to_owned()), start..end));
        } else {
            let fault = ExpressionError::new(
                start..start + c.len_utf8(),
                format!("'{}' has no meaning in an expression", c.escape_default()),
                "unknown character",
            );
            return Err(fault.with_help("an expression has numbers, names, + - * / ^, parentheses and functions"));
        }
    }
    Ok(out)
}

/// Bytes of the decimal number at the start of a text: digits, point, digits, exponent.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') {
        end += 1 + digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits((end + 1 + sign).min(bytes.len()));
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_names_and_operators() {
        let found: Vec<Token> = tokens("2.5e-3*u_xx^2 - .5").unwrap().into_iter().map(|(t, _)| t).collect();
        let name = Token::Name("u_xx".into());
        let expected = [
            Token::Number(2.5e-3),
            Token::Times,
            name,
            Token::Power,
            Token::Number(2.0),
            Token::Minus,
            Token::Number(0.5),
        ];
        assert_eq!(found, expected);
        // An "e" without digits is a name.
        assert_eq!(tokens("2e").unwrap().len(), 2);
    }

    #[test]
    fn faults_have_places() {
        for (text, span) in
            [("u * 2", None), ("u**2", Some(1..3)), ("1 $ 2", Some(2..3)), ("1e999", Some(0..5)), (".", Some(0..1))]
        {
            assert_eq!(tokens(text).err().map(|e| e.span), span, "{text}");
        }
    }
}
