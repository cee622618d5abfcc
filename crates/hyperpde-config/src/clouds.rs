//! Points and problems other than those learned on.

use hyperpde_pde::Problem;
use hyperpde_problems as problems;
use toml::Spanned;

use super::document::Document;
use super::error::ConfigError;
use super::numbers::MAX_COUNT;
use super::reader::Reader;

/// Where the learned kernel is tried.
#[derive(Clone, Debug, Default)]
pub struct Clouds {
    /// On collocation points and validation pool together.
    pub larger: bool,
    /// On so many new points, inside and on the faces.
    pub fresh: Option<(usize, usize)>,
    /// On new points of these problems.
    pub transfers: Vec<Problem>,
}

impl Reader<'_> {
    /// `[clouds]` of a completed document.
    pub(crate) fn clouds(&self, document: &Document, problem: &Problem) -> Result<Clouds, ConfigError> {
        let section = document.clouds.clone().unwrap_or_default();
        if let Some(fresh) = &section.fresh {
            let (interior, boundary) = *fresh.get_ref();
            if !(1..=MAX_COUNT).contains(&interior) || boundary > MAX_COUNT {
                let why = format!(
                    "fresh = [{interior}, {boundary}]: it takes 1 to {MAX_COUNT} points inside, at most as many on the faces"
                );
                return Err(self.at(Some(fresh), why, "out of range"));
            }
            if let Err(e) = problem.boundary_allotment(boundary) {
                return Err(self.at(Some(fresh), e.to_string(), "does not fit"));
            }
            if let Some(observed) =
                problem.observations().iter().filter(|o| o.points().is_none()).map(|o| o.count()).max()
                && observed > interior
            {
                let why = format!("{observed} observations are at interior points, of which fresh has {interior}");
                return Err(self.at(Some(fresh), why, "too few"));
            }
        }
        let mut transfers = Vec::new();
        for name in section.transfer.iter().flat_map(|t| t.get_ref()) {
            transfers.push(self.transfer(name, problem)?);
        }
        let larger = section.larger.is_some_and(Spanned::into_inner);
        Ok(Clouds { larger, fresh: section.fresh.map(Spanned::into_inner), transfers })
    }

    /// A built-in problem that the kernels fit: the same number of coordinates, and the same fields.
    fn transfer(&self, name: &Spanned<String>, problem: &Problem) -> Result<Problem, ConfigError> {
        let other = problems::by_name(name.get_ref()).map_err(|_| self.no_such_problem(name))?;
        if other.fields() == problem.fields() && other.domain().dim() == problem.domain().dim() {
            return Ok(other);
        }
        let why = format!("the kernels of this problem do not fit '{name}'");
        let help =
            format!("it has the fields {} over {}", other.fields().join(", "), other.domain().names().join(", "));
        Err(self.at(Some(name), why, "another problem").with_help(help))
    }
}
