//! Which fields an update changes: one reading of `update_mask` for all services.

use prost_types::FieldMask;

use crate::Violations;

/// The fields that an update changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateMask(Vec<&'static str>);

impl UpdateMask {
    /// Reads a mask over `fields`, of which those are set in the request that `is_set` says. Absent or empty means those
    /// that are set, `*` means all; a path of no such field is a violation of `update_mask`, and so is changing nothing.
    pub fn read(
        violations: &mut Violations,
        mask: Option<&FieldMask>,
        fields: &[&'static str],
        is_set: impl Fn(&str) -> bool,
    ) -> Self {
        let paths = mask.map_or(&[][..], |mask| mask.paths.as_slice());
        for (index, path) in paths.iter().enumerate() {
            if path != "*" && !fields.contains(&path.as_str()) {
                violations.add(format!("update_mask.paths[{index}]"), format!("{}, or * for all", fields.join(", ")));
            }
        }
        let is_chosen = |field: &str| {
            if paths.is_empty() { is_set(field) } else { paths.iter().any(|path| path == "*" || path == field) }
        };
        let chosen: Vec<_> = fields.iter().copied().filter(|field| is_chosen(field)).collect();
        if chosen.is_empty() && paths.is_empty() {
            violations.add("update_mask", format!("names or sets what to change: {}", fields.join(", ")));
        }
        Self(chosen)
    }

    /// Whether the update changes this field.
    #[must_use]
    pub fn changes(&self, field: &str) -> bool {
        self.0.contains(&field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [&str; 2] = ["display_name", "country_code"];

    fn read(paths: Option<&[&str]>) -> Result<UpdateMask, String> {
        let mask = paths.map(|paths| FieldMask { paths: paths.iter().map(ToString::to_string).collect() });
        let mut violations = Violations::default();
        let read = UpdateMask::read(&mut violations, mask.as_ref(), &FIELDS, |field| field == "country_code");
        violations.finish(|| Some(read)).map_err(|failure| failure.message().to_owned())
    }

    #[test]
    fn a_mask_names_the_fields_to_change() {
        assert_eq!(read(Some(&["display_name"])), Ok(UpdateMask(vec!["display_name"])));
        assert_eq!(read(Some(&["*"])), Ok(UpdateMask(FIELDS.to_vec())));
    }

    #[test]
    fn without_a_mask_what_is_set_is_changed() {
        for absent in [None, Some(&[][..])] {
            assert_eq!(read(absent), Ok(UpdateMask(vec!["country_code"])));
        }
    }

    #[test]
    fn a_path_of_no_field_is_named_with_what_would_be_right() {
        let refused = read(Some(&["display_name", "hub_id"])).expect_err("refused");
        assert_eq!(refused, "update_mask.paths[1]: display_name, country_code, or * for all");
        let mut violations = Violations::default();
        UpdateMask::read(&mut violations, None, &FIELDS, |_| false);
        assert!(violations.finish(|| Some(())).is_err(), "nothing to change");
    }
}
