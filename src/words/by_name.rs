//! Values by name: filed when a configuration is loaded, found again by a search through halves.

/// Values by their names. Names stand apart from the values, so that one search serves all kinds of them.
#[derive(Clone, Debug)]
pub struct ByName<V> {
    /// In ascending order.
    names: Vec<String>,
    /// In the order of their names.
    values: Vec<V>,
}

impl<V> Default for ByName<V> {
    fn default() -> Self {
        Self { names: Vec::new(), values: Vec::new() }
    }
}

impl<V> ByName<V> {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The value of that name.
    #[inline(always)]
    pub fn get(&self, name: &str) -> Option<&V> {
        self.values.get(place(&self.names, name).ok()?)
    }

    /// Files a value in place of the one that has the name already, if any.
    pub fn insert(&mut self, name: &str, value: V) {
        match place(&self.names, name) {
            Ok(at) => {
                if let Some(known) = self.values.get_mut(at) {
                    *known = value;
                }
            }
            Err(at) => {
                self.names.insert(at, name.to_owned());
                self.values.insert(at, value);
            }
        }
    }
}

impl<V: Default> ByName<V> {
    /// The value of that name, which begins as the default, as `change` leaves it.
    pub fn change(&mut self, name: &str, change: impl FnOnce(&mut V)) {
        if self.get(name).is_none() {
            self.insert(name, V::default());
        }
        if let Some(value) = place(&self.names, name).ok().and_then(|at| self.values.get_mut(at)) {
            change(value);
        }
    }
}

/// Where `name` stands among `names`, or would stand.
fn place(names: &[String], name: &str) -> Result<usize, usize> {
    names.binary_search_by(|known| known.as_str().cmp(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_name_alone_whenever_it_was_filed() {
        let mut values = ByName::default();
        assert!(values.is_empty());
        for (value, name) in ["m", "a", "", "z", "ma", "a"].into_iter().enumerate() {
            values.insert(name, value);
        }
        let found = ["", "a", "m", "ma", "z", "b"].map(|name| values.get(name).copied());
        assert_eq!(found, [Some(2), Some(5), Some(0), Some(4), Some(3), None]);
    }

    #[test]
    fn a_change_begins_at_the_default() {
        let mut values: ByName<Vec<usize>> = ByName::default();
        for (place, name) in ["b", "a", "b"].into_iter().enumerate() {
            values.change(name, |places| places.push(place));
        }
        assert_eq!(values.get("a"), Some(&vec![1]));
        assert_eq!(values.get("b"), Some(&vec![0, 2]));
    }
}
