//! Values by the numbers that a host gives to what it makes, one after the other.

/// Values by number: each stands at its number's place in a table, or at the first free one after it. Every callback looks
/// one up, so that a look must be a few instructions; with numbers that follow each other hardly any place is asked for
/// twice.
pub struct ByNumber<T> {
    /// A power of two of places, of which half at least are free; none until the first value comes.
    places: Vec<Option<(u32, T)>>,
    taken: usize,
}

impl<T> ByNumber<T> {
    /// Nothing.
    pub const fn new() -> Self {
        Self { places: Vec::new(), taken: 0 }
    }

    /// The value of this number.
    pub fn get(&self, number: u32) -> Option<&T> {
        let mut at = self.home(number);
        loop {
            let (known, value) = self.places.get(at)?.as_ref()?;
            if *known == number {
                return Some(value);
            }
            at = self.after(at);
        }
    }

    /// Files a value, in place of the one of the same number if there is one.
    pub fn insert(&mut self, number: u32, value: T) {
        if self.places.len() <= self.taken.saturating_mul(2) {
            self.grow();
        }
        let mut at = self.home(number);
        while let Some(place) = self.places.get_mut(at) {
            if place.as_ref().is_none_or(|(known, _)| *known == number) {
                self.taken = self.taken.wrapping_add(usize::from(place.is_none()));
                *place = Some((number, value));
                return;
            }
            at = self.after(at);
        }
    }

    /// Takes a value out.
    pub fn remove(&mut self, number: u32) -> Option<T> {
        let mut at = self.home(number);
        while self.places.get(at)?.as_ref()?.0 != number {
            at = self.after(at);
        }
        let (_, value) = self.places.get_mut(at)?.take()?;
        self.taken = self.taken.wrapping_sub(1);
        self.close(at);
        Some(value)
    }

    /// Moves up what had to pass over a place that is free now: a look ends at the first free one.
    fn close(&mut self, mut free: usize) {
        let mut at = self.after(free);
        while let Some(Some((number, _))) = self.places.get(at) {
            let far = |from: usize| at.wrapping_sub(from) & self.last();
            if far(self.home(*number)) >= far(free) {
                self.places.swap(at, free);
                free = at;
            }
            at = self.after(at);
        }
    }

    #[inline(never)]
    fn grow(&mut self) {
        let size = self.places.len().saturating_mul(2).max(16);
        let before = std::mem::replace(&mut self.places, std::iter::repeat_with(|| None).take(size).collect());
        self.taken = 0;
        for (number, value) in before.into_iter().flatten() {
            self.insert(number, value);
        }
    }

    fn home(&self, number: u32) -> usize {
        usize::try_from(number).unwrap_or(usize::MAX) & self.last()
    }

    fn after(&self, at: usize) -> usize {
        at.wrapping_add(1) & self.last()
    }

    /// The last place, which masks every other.
    fn last(&self) -> usize {
        self.places.len().wrapping_sub(1)
    }
}

impl<T> Default for ByNumber<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn numbers_that_want_one_place_are_told_apart_when_one_of_them_goes() {
        let mut values = ByNumber::new();
        assert_eq!(values.remove(1), None::<u32>);
        for number in [1, 17, 33, 2, 15, 31] {
            values.insert(number, number);
        }
        assert_eq!(values.remove(1), Some(1));
        assert_eq!(values.remove(1), None);
        assert_eq!(values.remove(15), Some(15));
        for number in [17, 33, 2, 31] {
            assert_eq!(values.get(number), Some(&number), "{number}");
        }
    }

    /// Streams come and go by the million: the table is as large as what lives at once asks for.
    #[test]
    fn it_does_not_grow_with_what_is_gone() {
        let mut values = ByNumber::new();
        for number in 0..100_000 {
            values.insert(number, ());
            assert!(values.remove(number).is_some());
        }
        assert_eq!(values.places.len(), 16);
    }

    proptest! {
        /// Numbers from few, so that places are wanted by several and given back, by another map's reckoning.
        #[test]
        fn it_holds_what_any_map_would(steps in prop::collection::vec((0..3_u32, 0..40_u32), 0..300)) {
            let (mut values, mut reckoned) = (ByNumber::new(), HashMap::new());
            for (at, (step, number)) in steps.into_iter().enumerate() {
                // Far apart, but for the lowest bits.
                let number = (number / 8) * 4096 + number % 8 + 12;
                match step {
                    0 => prop_assert_eq!(values.remove(number), reckoned.remove(&number)),
                    _ => {
                        values.insert(number, at);
                        reckoned.insert(number, at);
                    }
                }
                for (number, value) in &reckoned {
                    prop_assert_eq!(values.get(*number), Some(value));
                }
            }
            prop_assert_eq!(values.taken, reckoned.len());
        }
    }
}
