//! What the names in an expression mean: coordinates, fields and their derivatives, parameters, `pi`.

use hyperpde_kernels::{MultiIndex, Operator};
use hyperpde_pde::Unknown;

use crate::error::nearest;
use crate::tree::Function;

/// Highest order of a derivative that expressions may ask for. The pair stage handles any order, at a cost of `(order + 1)²` matrices;
/// tests hold it to closed forms up to here.
pub const MAX_ORDER: usize = 6;

/// The constant π, under this name.
pub const PI: &str = "pi";

/// The names that a problem declares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Names {
    /// Coordinates, in their order.
    pub coordinates: Vec<String>,
    /// Whether the first coordinate is time.
    pub time: bool,
    /// Fields, in their order.
    pub fields: Vec<String>,
    /// Parameters with their values.
    pub parameters: Vec<(String, f64)>,
}

/// What one name means.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// A coordinate, by index.
    Coordinate(usize),
    /// A parameter, by index.
    Parameter(usize),
    /// `pi`.
    Number(f64),
    /// A field or a derivative of one.
    Unknown(Unknown),
}

impl Names {
    /// What `name` means, or the advice to give.
    ///
    /// # Errors
    /// `(message, advice)` for a name that means nothing or a derivative of too high an order.
    pub fn resolve(&self, name: &str) -> Result<Meaning, (String, Option<String>)> {
        if let Some(i) = self.coordinates.iter().position(|c| c == name) {
            return Ok(Meaning::Coordinate(i));
        }
        if let Some(i) = self.parameters.iter().position(|(p, _)| p == name) {
            return Ok(Meaning::Parameter(i));
        }
        if name == PI {
            return Ok(Meaning::Number(std::f64::consts::PI));
        }
        let dim = self.coordinates.len();
        if let Some(field) = self.fields.iter().position(|f| f == name) {
            return Ok(Meaning::Unknown(Unknown::value(field, dim)));
        }
        let Some((field, letters)) = self.split(name) else {
            return Err((format!("unknown name '{name}'"), Some(self.advice(name))));
        };
        let Some(alpha) = self.multi_index(letters) else {
            let coordinates = self.coordinates.join(", ");
            let message =
                format!("'{name}' is no derivative of '{}': the coordinates are {coordinates}", self.fields[field]);
            return Err((message, None));
        };
        let order = alpha.iter().sum::<usize>();
        if order > MAX_ORDER {
            let message = format!("'{name}' is of order {order}: kernels support derivatives up to order {MAX_ORDER}");
            return Err((message, Some("introduce a further field for a lower derivative".into())));
        }
        let alpha: MultiIndex = alpha.into_iter().map(|k| k as u8).collect();
        Ok(Meaning::Unknown(Unknown::derivative(field, alpha)))
    }

    /// `Δu` over the coordinates of space.
    pub fn laplacian(&self, field: usize) -> Unknown {
        let dim = self.coordinates.len();
        if !self.time {
            return Unknown::laplacian(field, dim);
        }
        let second = |i: usize| {
            let mut alpha = vec![0; dim];
            alpha[i] = 2;
            (alpha, 1.0)
        };
        let operator = Operator::new(dim, (1..dim).map(second));
        // Time needs a coordinate of space beside it, so that there is a term.
        operator.map_or_else(|_| Unknown::laplacian(field, dim), |operator| Unknown { field, operator })
    }

    /// Field and coordinates of a name like `u_xx`; the longest field name wins.
    fn split<'a>(&self, name: &'a str) -> Option<(usize, &'a str)> {
        let of = |(f, field): (usize, &String)| {
            let letters = name.strip_prefix(field.as_str())?.strip_prefix('_')?;
            (!letters.is_empty()).then_some((f, letters))
        };
        self.fields.iter().enumerate().filter_map(of).min_by_key(|(_, letters)| letters.len())
    }

    /// How often each coordinate occurs in `letters`; nothing if they are not made of coordinates.
    fn multi_index(&self, letters: &str) -> Option<Vec<usize>> {
        count(letters, &self.coordinates)
    }

    /// Why `name` can't be a new name beside those declared so far, if so.
    pub fn collision(&self, name: &str) -> Option<String> {
        let mut letters = name.chars();
        let word = letters.next().is_some_and(char::is_alphabetic) && letters.all(|c| c.is_alphanumeric() || c == '_');
        if !word {
            return Some(format!(
                "'{}' is no name: a name has letters, digits and '_', and starts with a letter",
                name.escape_debug()
            ));
        }
        if name == PI {
            return Some(format!("'{PI}' is the constant 3.14159..."));
        }
        if name == LAPLACIAN || Function::of(name).is_some() {
            return Some(format!("'{name}' is a function"));
        }
        let same = |taken: &str| taken == name;
        if self.coordinates.iter().any(|c| same(c)) {
            return Some(format!("'{name}' is a coordinate already"));
        }
        if self.fields.iter().any(|f| same(f)) {
            return Some(format!("'{name}' is a field already"));
        }
        if self.parameters.iter().any(|(p, _)| same(p)) {
            return Some(format!("'{name}' is a parameter already"));
        }
        let (base, letters) =
            self.split(name).map(|(f, l)| (self.fields[f].as_str(), l)).or_else(|| name.rsplit_once('_'))?;
        let derivative = self.multi_index(letters).is_some_and(|a| !a.is_empty());
        derivative.then(|| format!("'{name}' reads as the derivative of '{base}' by {letters}"))
    }

    /// Why a further coordinate would make derivatives ambiguous, if so: no coordinate may be spelled by others.
    pub fn ambiguous_coordinate(&self, name: &str) -> Option<String> {
        let mut all = self.coordinates.clone();
        all.push(name.to_owned());
        let spelled = (0..all.len()).find(|&i| {
            let others: Vec<String> = all.iter().enumerate().filter(|(k, _)| *k != i).map(|(_, c)| c.clone()).collect();
            count(&all[i], &others).is_some()
        })?;
        Some(format!(
            "the coordinate '{0}' is spelled by other coordinates, so that a derivative by '{0}' has two meanings",
            all[spelled]
        ))
    }

    /// The closest name that exists, or all of them.
    fn advice(&self, name: &str) -> String {
        let derivatives: Vec<String> = self
            .fields
            .iter()
            .flat_map(|f| self.coordinates.iter().flat_map(move |c| [format!("{f}_{c}"), format!("{f}_{c}{c}")]))
            .collect();
        let known = self
            .coordinates
            .iter()
            .chain(&self.fields)
            .chain(self.parameters.iter().map(|(p, _)| p))
            .chain(&derivatives);
        if let Some(close) = nearest(name, known.map(String::as_str).chain([PI])) {
            return format!("did you mean '{close}'?");
        }
        let list = |names: &[String]| if names.is_empty() { "none".into() } else { names.join(", ") };
        let parameters: Vec<String> = self.parameters.iter().map(|(p, _)| p.clone()).collect();
        format!(
            "coordinates: {}; fields: {}; parameters: {}",
            list(&self.coordinates),
            list(&self.fields),
            list(&parameters)
        )
    }
}

/// Name of the Laplacian.
pub const LAPLACIAN: &str = "lap";

/// How often each of `coordinates` occurs in `letters`, the longest match first; nothing if something else is in between.
fn count(letters: &str, coordinates: &[String]) -> Option<Vec<usize>> {
    let mut alpha = vec![0; coordinates.len()];
    let mut rest = letters;
    while !rest.is_empty() {
        let fitting = coordinates.iter().enumerate().filter(|(_, c)| rest.starts_with(c.as_str()));
        let (i, coordinate) = fitting.max_by_key(|(_, c)| c.len())?;
        alpha[i] += 1;
        rest = &rest[coordinate.len()..];
    }
    Some(alpha)
}
