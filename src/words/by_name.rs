//! Values by name: filed when a configuration is loaded, found again by a search through halves of the names that are as
//! long.

/// Values by their names. Names stand apart from the values, so that one search serves all kinds of them.
#[derive(Clone, Debug)]
pub struct ByName<V> {
    names: Names,
    /// In the order of their names.
    values: Vec<V>,
}

/// Names, the shorter ones first: most that are asked for are as long as none of them, and are not compared with any.
#[derive(Clone, Debug, Default)]
struct Names {
    names: Vec<String>,
    /// By a length, how many names are shorter.
    shorter: Vec<usize>,
}

impl<V> Default for ByName<V> {
    fn default() -> Self {
        Self { names: Names::default(), values: Vec::new() }
    }
}

impl<V> ByName<V> {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value of that name.
    #[inline(always)]
    pub fn get(&self, name: &str) -> Option<&V> {
        self.values.get(self.names.place(name).ok()?)
    }

    /// Files a value in place of the one that has the name already, if any.
    pub fn insert(&mut self, name: &str, value: V) {
        match self.names.place(name) {
            Ok(at) => {
                if let Some(known) = self.values.get_mut(at) {
                    *known = value;
                }
            }
            Err(at) => {
                self.names.insert(at, name);
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
        if let Some(value) = self.names.place(name).ok().and_then(|at| self.values.get_mut(at)) {
            change(value);
        }
    }
}

impl Names {
    /// Where `name` stands, or would stand.
    fn place(&self, name: &str) -> Result<usize, usize> {
        let Some([start, end, ..]) = self.shorter.get(name.len()..) else { return Err(self.names.len()) };
        match self.names.get(*start..*end) {
            None | Some([]) => Err(*start),
            Some(as_long) => match as_long.binary_search_by(|known| known.as_str().cmp(name)) {
                Ok(at) => Ok(start.wrapping_add(at)),
                Err(at) => Err(start.wrapping_add(at)),
            },
        }
    }

    fn insert(&mut self, at: usize, name: &str) {
        let longer = name.len().saturating_add(1);
        if self.shorter.len() <= longer {
            self.shorter.resize(longer.saturating_add(1), self.names.len());
        }
        self.names.insert(at, name.to_owned());
        for shorter in self.shorter.iter_mut().skip(longer) {
            *shorter = shorter.saturating_add(1);
        }
    }
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

    /// Names of all lengths, filed in any order, by another map's reckoning.
    #[test]
    fn it_finds_what_any_map_would() {
        let names = ["/a/b", "/", "", "/aaaaaaaaaaaaaaaa", "/b", "/a", "/c/d", "/a/c", "/aa", "b", "/aaaa"];
        for turn in 0..names.len() {
            let (mut values, mut reckoned) = (ByName::default(), std::collections::HashMap::new());
            for at in 0..names.len() {
                let name = names[(turn + at * 3) % names.len()];
                values.insert(name, at);
                reckoned.insert(name, at);
                for name in names.iter().chain(&["/x", "x", "/aaaaa", "/a/d", "/aaaaaaaaaaaaaaaab"]) {
                    assert_eq!(values.get(name), reckoned.get(name), "{name} after {at} of {turn}");
                }
            }
        }
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
