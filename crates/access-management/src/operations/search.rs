//! What a list is searched for.

use domain::access::{EmailAddress, HubId, folded};

/// A search text; an empty one finds everything.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    text: String,
    folded: String,
}

impl Search {
    pub fn new(text: String) -> Self {
        Self { folded: folded(&text), text }
    }

    /// Whether it finds an account: by a part of its name, or by its whole hub id.
    pub fn finds_account(&self, display_name: &str, hub_id: HubId) -> bool {
        self.is_in(display_name) || self.text == hub_id.to_string()
    }

    /// Whether it finds a person: by a part of the name or of the address.
    pub fn finds_person(&self, display_name: &str, address: &EmailAddress) -> bool {
        self.is_in(display_name) || self.is_in(address.as_str())
    }

    fn is_in(&self, text: &str) -> bool {
        folded(text).contains(&self.folded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_name_or_the_whole_hub_id_finds_an_account() {
        let hub_id = HubId::try_from(2002).expect("a hub id");
        for (text, is_found) in [("", true), ("CAFFE", true), ("nero", true), ("2002", true), ("200", false)] {
            let search = Search::new(text.to_owned());
            assert_eq!(search.finds_account("Caffè Nero", hub_id), is_found, "{text}");
        }
    }

    #[test]
    fn a_part_of_a_name_or_of_an_address_finds_a_person() {
        let address = "anna.rossi@agency.example".parse().expect("an address");
        for (text, is_found) in [("", true), ("Müll", true), ("Rossi@Agency", true), ("bruno", false)] {
            let search = Search::new(text.to_owned());
            assert_eq!(search.finds_person("Anna Muller", &address), is_found, "{text}");
        }
    }
}
