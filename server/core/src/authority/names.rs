//! The names in a room, compared by their looks so that nobody can pass for another player. A *twin* is another name
//! that looks the same, by the skeletons of UTS #39 (a Cyrillic А for a Latin A, 1 for l). An identical name is no
//! twin.

use std::collections::BTreeMap;

use unicode_security::skeleton;

/// At most one entry per seat: a name and its twin are never both in it.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_look: BTreeMap<String, Held>,
}

#[derive(Debug)]
struct Held {
    name: String,
    seats: u32,
}

impl Names {
    /// Adds a name. Returns false if its twin is present.
    pub(super) fn add(&mut self, name: &str) -> bool {
        if name.is_empty() {
            return true;
        }
        let held = self.by_look.entry(look(name)).or_insert_with(|| Held { name: name.to_owned(), seats: 0 });
        let is_same = held.name == name;
        held.seats += u32::from(is_same);
        is_same
    }

    /// Removes a name once; others with the same name keep it.
    pub(super) fn remove(&mut self, name: &str) {
        let look = look(name);
        if let Some(held) = self.by_look.get_mut(&look) {
            held.seats -= 1;
            if held.seats == 0 {
                self.by_look.remove(&look);
            }
        }
    }
}

fn look(name: &str) -> String {
    skeleton(name).collect()
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn a_name_and_its_twin_are_not_in_one_room() {
        for (name, twin) in [
            ("Anna", "\u{410}nna"),
            ("paypal", "p\u{430}yp\u{430}l"),
            ("Will 1", "WilI l"),
            ("modern", "modem"),
            ("می\u{200c}روم", "میروم"),
            ("❤", "❤\u{fe0f}"),
            ("Zoë", "Zo\u{451}"),
        ] {
            let mut names = Names::default();
            assert!(names.add(name));
            assert!(!names.add(twin), "{twin:?} beside {name:?}");
            names.remove(name);
            assert!(names.add(twin), "{twin:?} without {name:?}");
            assert!(!names.add(name), "{name:?} beside {twin:?}");
        }
    }

    #[test]
    fn the_same_name_is_there_as_often_as_it_is_chosen() {
        let mut names = Names::default();
        assert!(names.add("Anna") && names.add("Anna"));
        names.remove("Anna");
        assert!(!names.add("\u{410}nna"), "one Anna is left");
        names.remove("Anna");
        assert!(names.add("\u{410}nna"));
    }

    #[test]
    fn names_that_look_different_and_no_names_are_no_twins() {
        let mut names = Names::default();
        for name in ["Ann", "Anna", "anna", "Änna", "", "", "bot 10", "bot 18", "Анна"] {
            assert!(names.add(name), "{name:?}");
        }
    }
}
